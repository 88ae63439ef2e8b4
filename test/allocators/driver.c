/*
 * Runs a list of allocator operations of a native CPython without a single line of Python in between, and decides where its arenas lie.
 * Loaded before the interpreter (LD_PRELOAD): mmap calls of an arena's size are then answered from one region, in order; those given
 * back are taken again last in, first out. See README.md in this folder.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/types.h>

#define MOST_ARENAS 4096

static uintptr_t region, next_arena, region_end;
static size_t arena_bytes;
static int armed;
static uintptr_t returned[MOST_ARENAS];
static int returned_count;

static void *system_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset) {
    static void *(*original)(void *, size_t, int, int, int, off_t);
    if (!original) *(void **)&original = dlsym(RTLD_NEXT, "mmap");
    return original(addr, length, prot, flags, fd, offset);
}

void *mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset) {
    if (armed && addr == NULL && fd == -1 && length == arena_bytes) {
        if (returned_count > 0) return (void *)returned[--returned_count];
        if (next_arena + length > region_end) return MAP_FAILED;
        void *arena = (void *)next_arena;
        next_arena += length;
        return arena;
    }
    return system_mmap(addr, length, prot, flags, fd, offset);
}

void *mmap64(void *addr, size_t length, int prot, int flags, int fd, off_t offset) {
    return mmap(addr, length, prot, flags, fd, offset);
}

int munmap(void *addr, size_t length) {
    static int (*original)(void *, size_t);
    uintptr_t at = (uintptr_t)addr;
    if (region != 0 && at >= region && at < region_end) {
        if (returned_count < MOST_ARENAS) returned[returned_count++] = at;
        return 0;
    }
    if (!original) *(void **)&original = dlsym(RTLD_NEXT, "munmap");
    return original(addr, length);
}

/* Arenas of `bytes` bytes, taken while `run` runs, begin `shift` bytes after a multiple of their size. */
uintptr_t arm(size_t bytes, size_t shift, size_t arenas) {
    uintptr_t at = (uintptr_t)system_mmap(NULL, bytes * (arenas + 2), PROT_READ | PROT_WRITE,
                                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == (uintptr_t)MAP_FAILED) return 0;
    arena_bytes = bytes;
    region = (at + bytes - 1) / bytes * bytes;
    next_arena = region + shift;
    region_end = region + bytes * (arenas + 1);
    return region;
}

struct operation {
    uint32_t kind;  /* 0 malloc, 1 realloc, 2 free, 3 malloc until the block lies in the region, 4 statistics */
    uint32_t slot;  /* which block; of kind 4: which file */
    uint32_t size;
    uint32_t fillers; /* out: blocks of kind 3 that lay elsewhere and were kept */
    uintptr_t address; /* out; 0 = none */
};

typedef void *(*malloc_function)(size_t);
typedef void *(*realloc_function)(void *, size_t);
typedef void (*free_function)(void *);
typedef void (*statistics_function)(FILE *);

/* `files`: opened by the caller with open_file, one for each operation of kind 4. */
void run(struct operation *operations, size_t count, void **slots, FILE **files, malloc_function do_malloc,
         realloc_function do_realloc, free_function do_free, statistics_function do_statistics) {
    armed = 1;
    for (size_t i = 0; i < count; i++) {
        struct operation *o = &operations[i];
        switch (o->kind) {
            case 0:
                slots[o->slot] = do_malloc(o->size);
                break;
            case 1:
                slots[o->slot] = do_realloc(slots[o->slot], o->size);
                break;
            case 2:
                o->address = (uintptr_t)slots[o->slot];
                do_free(slots[o->slot]);
                slots[o->slot] = NULL;
                continue;
            case 3:
                for (;;) {
                    void *block = do_malloc(o->size);
                    slots[o->slot] = block;
                    if ((uintptr_t)block >= region && (uintptr_t)block < region_end) break;
                    o->fillers++;
                }
                break;
            case 4:
                if (do_statistics) do_statistics(files[o->slot]);
                continue;
        }
        o->address = (uintptr_t)slots[o->slot];
    }
    armed = 0;
}

FILE *open_file(const char *path) { return fopen(path, "w"); }
void close_file(FILE *file) { fclose(file); }
