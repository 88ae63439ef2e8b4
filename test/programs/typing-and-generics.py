"""Exercises typing at run time: generics and their caches, protocols, NamedTuple, TypedDict, forward references, Annotated,
overload, get_type_hints, and the syntax of PEP 695 and lazily evaluated annotations, where the interpreter has them.
"""

import gc
import sys
import typing
from typing import Annotated, Any, Callable, ClassVar, Final, Generic, Literal, NamedTuple, Optional, ParamSpec, Protocol, TypedDict, TypeVar, Union

T = TypeVar("T")
K = TypeVar("K", bound=int)
V = TypeVar("V", int, str)
P = ParamSpec("P")


class Box(Generic[T]):
    def __init__(self, item: T) -> None:
        self.item = item

    def get(self) -> T:
        return self.item


class Pair(Box[K], Generic[K, V]):
    other: "Pair[K, V] | None" = None


aliases = [Box[int], Box[str], Pair[int, str], Box[Box[int]], Callable[[int, T], list[T]], dict[str, Box[T]], Optional[Box[T]], Union[int, str, Box[int]],
           Annotated[int, "meta", [1]], Literal["a", 1, None], Callable[P, T], tuple[int, ...], type[Box], ClassVar[int], Final[str]]
substituted = [a[int] for a in aliases if getattr(a, "__parameters__", None) and len(a.__parameters__) == 1]
print("aliases:", len(aliases), len(substituted), [str(a) for a in aliases[3:6]], typing.get_origin(aliases[5]), typing.get_args(aliases[9]))
instances = [Box[int](i) for i in range(100)] + [Pair[int, str](i) for i in range(100)]
assert instances[150].get() == 50 and instances[0].__orig_class__ is Box[int]
for i in range(300):  # more than the caches of typing hold
    made = Box[type("T%d" % i, (), {})]
    Union[made, int], Optional[made], Literal[i], Annotated[int, i]
del made, instances


class Movie(TypedDict, total=False):
    title: str
    year: "int"


class Point(NamedTuple):
    x: int
    y: float = 0.5


@typing.runtime_checkable
class Closable(Protocol):
    name: str

    def close(self) -> None: ...


class File:
    name = "f"

    def close(self):
        pass


@typing.overload
def over(x: int) -> int: ...
@typing.overload
def over(x: str) -> str: ...
def over(x):
    return x


def annotated(a: "Box[int]", b: Optional["Point"] = None, *c: Any, **d: "Movie") -> "list[Later]":
    return []


class Later:
    child: "Later"
    table: "dict[str, list[Later]]"


hints = typing.get_type_hints(annotated)
print("hints:", hints["return"] == list[Later], typing.get_type_hints(Later)["child"] is Later, Movie(title="t"), Movie.__optional_keys__ == {"title", "year"}, Point(1))
print("protocols:", isinstance(File(), Closable), isinstance(3, Closable), len(typing.get_overloads(over)), typing.cast(int, "x"))
errors = 0
for bad in (lambda: Box[int, str], lambda: Generic[int], lambda: Union[()], lambda: typing.get_type_hints(type("X", (), {"__annotations__": {"a": "Missing"}})), lambda: Closable(), lambda: issubclass(File, Closable), lambda: isinstance(1, list[int])):
    for _ in range(10):
        try:
            bad()
        except (TypeError, NameError):
            errors += 1
print("errors:", errors)

if sys.version_info >= (3, 12):
    space = {}
    for i in range(30):
        exec(
            """
type Alias[T] = list[T] | dict[str, Alias[T]]
type Plain = int
class Stack[T: (int, str), *Ts, **P]:
    def __init__(self): self.items: list[T] = []
    def push[U](self, x: T, y: U) -> tuple[T, U]:
        self.items.append(x)
        return x, y
def first[T](items: list[T]) -> T:
    class Inner[S]:
        attr: S
        both = (T, S)
    return items[0], Inner.both
""",
            space,
        )
    stack = space["Stack"]()
    print("generic syntax:", stack.push(1, "y"), space["Alias"].__type_params__, space["Plain"].__value__, str(space["first"]([5])), space["Stack"].__parameters__)
    assert space["Alias"][int].__args__ == (int,) and space["Stack"].__type_params__[0].__constraints__ == (int, str)
    space.clear()
    del stack
if sys.version_info >= (3, 13):
    space = {}
    exec("class D[T = int]:\n  pass\nvalue = D.__type_params__[0].__default__", space)
    assert space["value"] is int
if sys.version_info >= (3, 14):
    import annotationlib

    space = {}
    exec("class Lazy:\n    a: Undefined[int]\n    b: int\ndef f(x: Nowhere.y | None, *, k: list[Gone]) -> Self: ...", space)
    lazy = annotationlib.get_annotations(space["Lazy"], format=annotationlib.Format.STRING)
    forward = annotationlib.get_annotations(space["f"], format=annotationlib.Format.FORWARDREF)
    print("annotations:", lazy, forward["return"].__arg__ if hasattr(forward["return"], "__arg__") else type(forward["return"]).__name__)
    try:
        space["Lazy"].__annotations__
    except NameError as error:
        print("evaluated:", error)
gc.collect()
