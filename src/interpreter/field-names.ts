/**
 * Names of what built-in types refer to, by offset in the object in bytes (32-bit layouts of CPython 3.14). Members that a type declares
 * (`tp_members`) and slots need none: they are read from the type. What Python can reach has the name by which it does; what it cannot stands in `<…>`.
 * The structures are in the files of CPython that implement the types: Objects/iterobject.c, Modules/itertoolsmodule.c, Modules/_asynciomodule.c, …
 */
import { TYPE } from "./layout.js";

type Fields = Readonly<Record<number, string>>;

const SEQUENCE: Fields = { 12: "<sequence>" };
const FUNCTION_AND_ITERATOR: Fields = { 8: "<function>", 12: "<iterator>" };
const OF_DICT: Fields = { 8: "<dict>" };
const SUSPENDED: Fields = { 12: "__name__", 16: "__qualname__", 20: "<exception being handled>" };
const POOL: Fields = { 8: "<pool>", 16: "<result>" };
const FUTURE: Fields = {
  8: "_loop",
  12: "_callbacks[0][0]",
  16: "_callbacks[0][1]",
  20: "<more callbacks>",
  24: "_exception",
  28: "<traceback of _exception>",
  32: "_result",
  36: "_source_traceback",
  40: "_cancel_message",
};

export const FIELDS: Readonly<Record<string, Fields>> = {
  function: {
    8: "__globals__",
    12: "__builtins__",
    16: "__name__",
    20: "__qualname__",
    24: "__code__",
    28: "__defaults__",
    32: "__kwdefaults__",
    36: "__closure__",
    40: "__doc__",
    44: "__dict__",
    52: "__module__",
    56: "__annotations__",
    60: "__annotate__",
    64: "__type_params__",
  },
  method: { 8: "__func__", 12: "__self__" },
  module: { 8: "__dict__" },
  cell: { 8: "cell_contents" },
  ReferenceType: { 12: "__callback__" },
  ProxyType: { 12: "<callback>" },
  CallableProxyType: { 12: "<callback>" },
  traceback: { 8: "tb_next", 12: "tb_frame" },
  builtin_function_or_method: { 12: "__self__", 16: "__module__" },
  property: { 8: "fget", 12: "fset", 16: "fdel", 20: "__doc__", 24: "__name__" },
  staticmethod: { 8: "__func__", 12: "__dict__" },
  classmethod: { 8: "__func__", 12: "__dict__" },
  mappingproxy: { 8: "<mapping>" },
  memoryview: { 12: "<buffer>" },
  managedbuffer: { 20: "obj" },
  Future: FUTURE,
  Task: { ...FUTURE, 64: "_fut_waiter", 68: "_coro", 72: "<name>", 76: "<context>" },
  generator: SUSPENDED,
  coroutine: SUSPENDED,
  async_generator: SUSPENDED,
  FrameLocalsProxy: { 8: "<frame>" },
  _local: { 20: "<values by thread>" },
  Context: { 8: "<context before>", 12: "<values>" },
  hamt: { 8: "<root>" },
  ContextVar: { 8: "name", 12: "<default>" },
  Token: { 8: "<context>", 12: "var", 16: "old_value" },
  code: { 12: "co_consts", 16: "co_names", 20: "co_exceptiontable" },
  _lru_cache_wrapper: { 36: "<cache>", 44: "__wrapped__", 60: "<type of links>", 64: "<type of cache_info>" },
  BytesIO: { 8: "<buffer>" },
  attrgetter: { 12: "<attributes>" },
  itemgetter: { 12: "<item>" },
  methodcaller: { 8: "<name>", 12: "<arguments>", 16: "<keywords>" },
  list_iterator: SEQUENCE,
  list_reverseiterator: SEQUENCE,
  tuple_iterator: SEQUENCE,
  iterator: SEQUENCE,
  reversed: SEQUENCE,
  callable_iterator: { 8: "<callable>", 12: "<sentinel>" },
  set_iterator: { 8: "<set>" },
  dict_keyiterator: OF_DICT,
  dict_valueiterator: OF_DICT,
  dict_itemiterator: OF_DICT,
  dict_reversekeyiterator: OF_DICT,
  dict_reversevalueiterator: OF_DICT,
  dict_reverseitemiterator: OF_DICT,
  dict_keys: OF_DICT,
  dict_values: OF_DICT,
  dict_items: OF_DICT,
  enumerate: { 12: "<iterator>", 16: "<result>" },
  zip: { 12: "<iterators>", 16: "<result>" },
  map: { 8: "<iterators>", 12: "<function>" },
  filter: FUNCTION_AND_ITERATOR,
  starmap: FUNCTION_AND_ITERATOR,
  takewhile: FUNCTION_AND_ITERATOR,
  dropwhile: FUNCTION_AND_ITERATOR,
  filterfalse: FUNCTION_AND_ITERATOR,
  accumulate: { 8: "<total>", 12: "<iterator>", 16: "<function>", 20: "<initial>" },
  batched: { 8: "<iterator>" },
  chain: { 8: "<iterables>", 12: "<iterator>" },
  combinations: POOL,
  combinations_with_replacement: POOL,
  permutations: { 8: "<pool>" },
  compress: { 8: "<data>", 12: "<selectors>" },
  cycle: { 8: "<iterator>", 12: "<saved>" },
  groupby: { 8: "<iterator>", 12: "<key function>", 16: "<target key>", 20: "<current key>", 24: "<current value>" },
  islice: { 8: "<iterator>" },
  pairwise: { 8: "<iterator>", 12: "<old>", 16: "<result>" },
  product: { 8: "<pools>", 16: "<result>" },
  repeat: { 8: "<element>" },
  _tee: { 8: "<data>" },
  _tee_dataobject: { 8: "<iterator>" },
  zip_longest: { 16: "<iterators>", 20: "<result>", 24: "<fill value>" },
};

export const EXCEPTION_FIELDS: Fields = {
  8: "__dict__",
  12: "args",
  16: "__notes__",
  20: "__traceback__",
  24: "__context__",
  28: "__cause__",
};

export const TYPE_FIELDS: Fields = {
  [TYPE.base]: "__base__",
  [TYPE.dict]: "__dict__",
  [TYPE.bases]: "__bases__",
  [TYPE.mro]: "__mro__",
  [TYPE.cache]: "<tp_cache>",
  [TYPE.subclasses]: "<tp_subclasses>",
};

/** How Python reaches the frame of a suspended function, and what that waits for where it stands in `await` or `yield from`. */
export const FRAME_OWNERS: Readonly<Record<string, { readonly frame: string; readonly awaited: string }>> = {
  generator: { frame: "gi_frame.", awaited: "gi_yieldfrom" },
  coroutine: { frame: "cr_frame.", awaited: "cr_await" },
  async_generator: { frame: "ag_frame.", awaited: "ag_await" },
};
