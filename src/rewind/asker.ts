/**
 * The Python that answers when the past is asked: it runs inside the stopped interpreter, in globals of its own. It depends on built-in
 * modules alone, for the program may have put anything into `sys.modules`; `traceback` is imported only when there is one to show.
 *
 * `line` follows Lib/codeop.py (_maybe_compile): a statement is complete when it compiles without its end being implied.
 */

/** Characters of a value or a traceback that are shown. */
export const LONGEST_TEXT = 1 << 20;

/** What `answer` says first. */
export type Status = "value" | "done" | "more" | "left" | "failed" | "no place" | "left behind";

export const askerSource = `
import sys, builtins, _io

def stream(number):
    return _io.TextIOWrapper(
        _io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace", newline="\\n", write_through=True)

sys.stdout, sys.stderr = stream(1), stream(2)
sys.displayhook = sys.__displayhook__
try:
    import _signal
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
except Exception:
    pass

IMPLY_NO_DEDENT, ALLOW_INCOMPLETE = 0x200, 0x4000

def statement(source, name):
    if all(line.strip()[:1] in ("", "#") for line in source.split("\\n")):
        return compile("pass", name, "single", 0, True)
    flags = IMPLY_NO_DEDENT | ALLOW_INCOMPLETE
    try:
        return compile(source, name, "single", flags, True)
    except SyntaxError:
        try:
            compile(source + "\\n", name, "single", flags, True)
            return None
        except builtins._IncompleteInputError:
            return None
        except SyntaxError:
            pass
    return compile(source, name, "single", 0, True)

def cut(text):
    return text if len(text) <= ${LONGEST_TEXT} else f"{text[:${LONGEST_TEXT}]}… ({len(text)} characters)"

def failure(error, name, source):
    last = type(error).__name__
    try:
        message = str(error)
        if message:
            last = f"{last}: {message}"
    except BaseException:
        pass
    tb = error.__traceback__
    while tb is not None and tb.tb_frame.f_globals is globals():
        tb = tb.tb_next
    try:
        import linecache, traceback
        linecache.cache[name] = (len(source), None, source.splitlines(True), name)
        text = "".join(traceback.format_exception(type(error), error, tb))
    except BaseException:
        text = last + "\\n"
    return "failed", cut(last), cut(text)

def completions(text, scope, names):
    head, dot, tail = text.rpartition(".")
    if dot:
        try:
            words = set(dir(eval(head, scope, names)))
        except BaseException:
            return []
    else:
        words = {*names, *scope, *dir(builtins)}
        try:
            import keyword
            words.update(keyword.kwlist)
        except BaseException:
            pass
    found = [word for word in words if isinstance(word, str) and word.startswith(tail)]
    if not tail.startswith("_"):
        found = [word for word in found if not word.startswith("_")]
    return [head + dot + word for word in sorted(found)]

def answer(mode, source, name, module, scope, names):
    if module:
        found = sys.modules.get(module)
        if found is None:
            return "no place", f"no module {module} is loaded then", ""
        scope = names = vars(found)
    try:
        if mode == "complete":
            return "done", cut("\\n".join(completions(source, scope, names))), ""
        if mode == "line":
            code = statement(source, name)
            if code is None:
                return "more", "", ""
            exec(code, scope, names)
            return "done", "", ""
        source = source.strip(" \\t")
        try:
            code = compile(source, name, "eval", 0, True)
        except SyntaxError:
            code = None
        if code is None:
            exec(compile(source, name, "exec", 0, True), scope, names)
            return "value", "None", ""
        return "value", cut(repr(eval(code, scope, names))), ""
    except SystemExit as error:
        return ("left", "", "") if mode == "line" else failure(error, name, source)
    except BaseException as error:
        return failure(error, name, source)
`;
