import pathlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import ConfigurationError
from functions.core.policy import Policy, Rule, glob

EXAMPLE = """\
# ours
[[rules]]                       # the first rule whose glob matches the object's name applies
match = "products/**"
languages = ["EN", "de", "zh-hans"]
guidance = "Name the product, its colour and its material."
max_length = 150
keywords = ["Acme", " Acme ", "Bolt"]

[[rules]]
match = "**/thumbs/**"
skip = true
"""


def load(folder: pathlib.Path, text: str) -> Policy:
    path = folder / "captions.toml"
    path.write_text(text, encoding="utf-8")
    return Policy.load(path)


def test_a_file_is_read_as_it_is_meant(tmp_path: pathlib.Path) -> None:
    first, second = load(tmp_path, EXAMPLE).rules
    assert first == Rule(
        match="products/**",
        languages=("en", "de", "zh-Hans"),
        guidance="Name the product, its colour and its material.",
        max_length=150,
        keywords=("Acme", "Bolt"),
        line=2,
    )
    assert second == Rule(match="**/thumbs/**", skip=True, line=9)


def test_the_first_rule_that_matches_applies(tmp_path: pathlib.Path) -> None:
    policy = load(tmp_path, EXAMPLE)
    assert policy.rule("products/thumbs/chair.jpg").line == 2
    assert policy.rule("blog/thumbs/chair.jpg").skip


def test_where_no_rule_matches_the_default_applies(tmp_path: pathlib.Path) -> None:
    assert load(tmp_path, EXAMPLE).rule("blog/chair.jpg") == Rule()
    assert Policy.empty().rule("anything") == Rule()
    assert Rule().max_length == 125
    assert not Rule().skip


def test_an_empty_file_has_no_rules(tmp_path: pathlib.Path) -> None:
    assert load(tmp_path, "# none yet\n").rules == ()


def test_a_file_saved_by_notepad_is_read(tmp_path: pathlib.Path) -> None:
    text = "\ufeff" + EXAMPLE.replace("\n", "\r\n")
    (tmp_path / "captions.toml").write_bytes(text.encode())
    assert [rule.line for rule in Policy.load(tmp_path / "captions.toml").rules] == [2, 9]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("**", ["a", "a/b", "a/b/c.jpg", "new\nline"]),
        ("products/**", ["products/a", "products/a/b"]),
        ("**/thumbs/**", ["thumbs/a", "a/thumbs/b", "a/b/thumbs/c/d"]),
        ("**/*.jpg", ["a.jpg", "a/b.jpg"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"]),
        ("products/**.png", ["products/a.png", "products/a/b.png"]),
        ("*.jpg", ["a.jpg", ".jpg"]),
        ("?.jpg", ["a.jpg", "é.jpg"]),
        ("[ab]?.jpg", ["a1.jpg", "b2.jpg"]),
        ("[0-9]*", ["1", "12"]),
        ("[!a-c]", ["d", "-"]),
        ("[]]", ["]"]),
        ("[[]", ["["]),
        ("[!]]", ["a"]),
        ("[]a]", ["]", "a"]),
        ("[!]", ["!"]),
        ("[^a]", ["^", "a"]),
        ("[a&&b]", ["&"]),
        ("a.b+c(d)$", ["a.b+c(d)$"]),
        ("a{1,2}", ["a{1,2}"]),
    ],
)
def test_a_glob_matches(pattern: str, names: list[str]) -> None:
    assert [name for name in names if glob(pattern).fullmatch(name)] == names


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("products/**", ["products", "old/products/a", "Products/a"]),
        ("**/thumbs/**", ["thumbs", "mythumbs/a", "a/thumbsup/b"]),
        ("**/a.jpg", ["ba.jpg"]),
        ("*.jpg", ["a/b.jpg", "a.JPG", "a.jpg.png"]),
        ("a?b", ["a/b", "ab"]),
        ("a[!x]b", ["a/b", "axb"]),
        ("a[.-0]b", ["a/b"]),
        ("a.jpg", ["axjpg", "a.jpg\n"]),
        ("a/**/b", ["ab", "a/xb"]),
    ],
)
def test_a_glob_does_not_match(pattern: str, names: list[str]) -> None:
    assert [name for name in names if glob(pattern).fullmatch(name)] == []


def test_many_stars_do_not_take_long() -> None:
    assert not glob("**/**/**/**/**/**/**/**/a").fullmatch("b/" * 500)


@settings(max_examples=1000)
@given(st.text(alphabet="ab/*?[]!-^\\.", max_size=12), st.text(alphabet="ab/-", max_size=8))
def test_any_glob_compiles_or_is_refused(pattern: str, name: str) -> None:
    try:
        compiled = glob(pattern)
    except ValueError:
        return
    compiled.fullmatch(name)


@pytest.mark.parametrize(
    ("text", "line", "fault"),
    [
        ("[[rules]]\nmatch = \n", 2, "not TOML: Invalid value"),
        ('[[rules]]\nmatch = "a', 2, "not TOML"),
        ('[[rules]]\nmatch = "a"\nmatch = "b"\n', 3, "not TOML: Cannot overwrite a value"),
        ('\n[[rule]]\nmatch = "a"\n', 2, "'rule' is not known here: did you mean 'rules'?"),
        ("zoom = 1\n", 1, "'zoom' is not known here: known are rules"),
        ('[rules]\nmatch = "a"\n', 1, "rules are a list: write [[rules]]"),
        ("rules = [1]\n", 1, "a rule is a table"),
        ('[[rules]]\nmatch = "a"\n\nmax_lenght = 20\n', 4, "did you mean 'max_length'?"),
        ('[[rules]]\nmatch = "a"\nline = 3\n', 3, "'line' is not known: known are match"),
        ('[[rules]]\nmatch = "a"\n[[rules]]\nskip = true\n', 3, "no 'match': add one"),
        ('[[rules]]\nmatch = " "\n', 2, "'match' is empty"),
        ("[[rules]]\nmatch = 3\n", 2, "'match' is a number: write text"),
        ('[[rules]]\nmatch = "gs://b/a/**"\n', 2, "leave out gs:// and the bucket"),
        ('[[rules]]\nmatch = "/products/**"\n', 2, 'write "products/**"'),
        ('[[rules]]\nmatch = "a[b"\n', 2, "'match' is no glob: '[' is not closed"),
        ('[[rules]]\nmatch = "a[]"\n', 2, "'match' is no glob: '[' is not closed"),
        ('[[rules]]\nmatch = "[z-a]"\n', 2, "runs backwards: write 'a-z'"),
        ('[[rules]]\nmatch = "a"\nlanguages = "en"\n', 3, "'languages' is text: write a list"),
        ('[[rules]]\nmatch = "a"\nlanguages = ["en", 1]\n', 3, "is a list of other things"),
        ('[[rules]]\nmatch = "a"\nlanguages = ["en", ""]\n', 3, "has an empty text in it"),
        (
            '[[rules]]\nmatch = "a"\nlanguages = [\n  "en",\n  "en-UK",\n]\n',
            3,
            "'languages' is wrong: 'en-UK' is not a language tag",
        ),
        ('[[rules]]\nmatch = "a"\nguidance = ["a"]\n', 3, "'guidance' is a list: write text"),
        ('[[rules]]\nmatch = "a"\nmax_length = 19\n', 3, "write a number from 20 to 2000"),
        ('[[rules]]\nmatch = "a"\nmax_length = 2001\n', 3, "is 2001"),
        ('[[rules]]\nmatch = "a"\nmax_length = "125"\n', 3, "is text: write a whole number"),
        ('[[rules]]\nmatch = "a"\nmax_length = 99.5\n', 3, "is a number: write a whole number"),
        ('[[rules]]\nmatch = "a"\nmax_length = true\n', 3, "is true or false: write a whole"),
        (
            '[[rules]]\nmatch = "a"\nkeywords = 1979-05-27\n',
            3,
            "'keywords' is a date: write a list",
        ),
        ('[[rules]]\nmatch = "a"\nskip = "yes"\n', 3, "is text: write true or false"),
        ('[[rules]]\nmatch = "a"\n[rules.extra]\nb = 1\n', 3, "'extra' is not known"),
        ('[[rules]]\nmatch = "a"\n"skip" = 1\n', 3, "'skip' is a number"),
        ('rules = [{match = "a"}, {match = "b", skip = 1}]\n', 1, "'skip' is a number"),
    ],
)
def test_a_fault_is_named_with_file_line_and_remedy(
    tmp_path: pathlib.Path, text: str, line: int, fault: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'captions.toml'}:{line}: ")
    assert fault in str(caught.value)


def test_tables_inside_comments_and_strings_do_not_move_the_line(tmp_path: pathlib.Path) -> None:
    text = '''\
# [[rules]]
[[rules]]
match = "a # not a comment"
guidance = """
[[rules]]
skip = 1
"""
[[rules]]
match = 'b"""'
skip = "yes"
'''
    with pytest.raises(ConfigurationError, match=r"captions.toml:10: 'skip' is text"):
        load(tmp_path, text)


def test_a_missing_file_is_named_with_the_setting(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none.toml: cannot be read .*CAPTION_POLICY"):
        Policy.load(tmp_path / "none.toml")


def test_a_file_in_another_encoding_is_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "captions.toml").write_bytes(b'# caf\xe9\n[[rules]]\nmatch = "a"\n')
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        Policy.load(tmp_path / "captions.toml")


@pytest.mark.parametrize(
    "pattern",
    ["**/*-*-*-*.jpg", "**/*a*a*a*a*b", "**a**a**a**a**b", "**/a/**/a/**/a/**/b", "*a*a*a*a*a*a*b"],
)
@pytest.mark.parametrize("unit", ["-", "a", "a/", "/-", "-a"])
def test_a_long_name_is_compared_without_trying_every_way(pattern: str, unit: str) -> None:
    name = (unit * 1024)[:1024]
    for _ in range(20):  # seconds each, if what "*" passes over were read in every way
        assert glob(pattern).fullmatch(name) is None


@given(
    st.lists(st.sampled_from(["a", "b", "/", "*", "**", "**/", "?", "[ab]", "-"]), max_size=7),
    st.text(alphabet="ab/-", max_size=9),
)
def test_a_glob_matches_what_trying_every_way_would_match(parts: list[str], name: str) -> None:
    pattern = "".join(parts)
    plain = {"/": "/", "?": "[^/]", "[ab]": "[ab]"}
    said = re.split(r"((?:(?<![^/])\*\*/)+|\*{2,}|\*|\?|\[ab\])", pattern)
    every = "".join(
        "(?:.*/)?" if each.endswith("**/") and each else
        ".*" if each.startswith("**") else
        "[^/]*" if each == "*" else plain.get(each, re.escape(each))
        for each in said
    )  # fmt: skip
    assert bool(glob(pattern).fullmatch(name)) == bool(re.fullmatch(every, name, re.DOTALL))
