"""Which object of which bucket an image's address stands for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core import image_url
from functions.core.image_url import (
    MAX_LENGTH,
    MOST_CANDIDATES,
    Origin,
    bucket_names,
    candidates,
    locate,
    origins,
)
from functions.core.renditions import originals
from tests.support.address_forms import FORMS, NAME, ORIGINS

SHOP = origins(
    "https://img.example.com=shop/public, https://img.example.com/raw=raws, "
    "http://localhost:8080/files=local, https://bücher.example/a%20b=books"
)


@pytest.mark.parametrize(
    "src",
    [
        "gs://shop/products/blue mug.jpg",
        "GS://shop/products/blue mug.jpg",
        "https://storage.googleapis.com/shop/products/blue%20mug.jpg",
        "https://storage.googleapis.com/shop/products/blue mug.jpg",
        "https://storage.googleapis.com/shop/products%2Fblue%20mug.jpg",
        "http://storage.googleapis.com/shop/products/blue%20mug.jpg",
        "//storage.googleapis.com/shop/products/blue%20mug.jpg",
        "HTTPS://Storage.GoogleAPIs.com:443/shop/products/blue%20mug.jpg",
        "https://storage.googleapis.com./shop/products/blue%20mug.jpg",
        "https://storage.googleapis.com/shop/products/blue%20mug.jpg?X-Goog-Signature=a/b#top",
        "https://storage.googleapis.com/download/storage/v1/b/shop/o/products%2Fblue%20mug.jpg?alt=media",
        "https://storage.googleapis.com/storage/v1/b/shop/o/products%2Fblue%20mug.jpg",
        "https://storage.cloud.google.com/shop/products/blue%20mug.jpg?authuser=1",
        "https://shop.storage.googleapis.com/products/blue%20mug.jpg",
        "https://firebasestorage.googleapis.com/v0/b/shop/o/products%2Fblue%20mug.jpg?alt=media&token=f00",
        "https://firebasestorage.googleapis.com:443/v0/b/shop/o/products%2Fblue%20mug.jpg",
    ],
)
def test_every_form_of_an_address_is_the_same_object(src: str) -> None:
    assert locate(src) == ("shop", "products/blue mug.jpg")


@pytest.mark.parametrize(
    ("src", "place"),
    [
        ("https://img.example.com/mug.jpg", ("shop", "public/mug.jpg")),
        ("http://IMG.example.com:80/mug.jpg?w=300", ("shop", "public/mug.jpg")),
        ("//img.example.com/a/%C3%A4.jpg#x", ("shop", "public/a/ä.jpg")),
        ("//img.example.com/" + "写真" * 9 + ".jpg", ("shop", "public/" + "写真" * 9 + ".jpg")),
        ("https://img.example.com/raw/mug.jpg", ("raws", "mug.jpg")),
        ("https://img.example.com/rawer/mug.jpg", ("shop", "public/rawer/mug.jpg")),
        ("http://localhost:8080/files/a/b.png", ("local", "a/b.png")),
        ("https://bücher.example/a%20b/c.png", ("books", "c.png")),
        ("https://xn--bcher-kva.example/a b/c.png", ("books", "c.png")),
        ("http://localhost:9090/files/a/b.png", None),
        ("http://localhost/files/a/b.png", None),
        ("https://img.example.com.evil.test/mug.jpg", None),
        ("https://img.example.com/", None),
        ("https://img.example.com", None),
    ],
)
def test_an_origin_stands_for_its_bucket(src: str, place: tuple[str, str] | None) -> None:
    assert locate(src, SHOP) == place
    assert candidates(src, SHOP)[:1] == ((place,) if place else ())


def test_an_origins_path_ends_at_a_slash() -> None:
    only = origins("https://cdn.example.com/img=shop")

    assert locate("https://cdn.example.com/img/a.png", only) == ("shop", "a.png")
    assert locate("https://cdn.example.com/img2/a.png", only) is None
    assert locate("https://cdn.example.com/img", only) is None


@pytest.mark.parametrize(
    ("src", "name"),
    [
        ("https://storage.googleapis.com/shop/what%3F%23.jpg?x#y", "what?#.jpg"),
        ("https://storage.googleapis.com/shop/50%2525.jpg", "50%25.jpg"),
        ("https://storage.googleapis.com/shop/100%.jpg", "100%.jpg"),
        ("https://storage.googleapis.com/shop/a+b.jpg", "a+b.jpg"),
        ("https://storage.googleapis.com/shop/a//b.jpg", "a//b.jpg"),
        ("https://storage.googleapis.com/shop/%E6%97%A5%E6%9C%AC.jpg", "日本.jpg"),
        ("gs://shop/what?#50%25.jpg", "what?#50%25.jpg"),
        ("gs://shop//a", "/a"),
        ("gs://shop/a/../b.jpg", "a/../b.jpg"),
    ],
)
def test_names_are_decoded_once_and_only_where_they_were_encoded(src: str, name: str) -> None:
    assert locate(src) == ("shop", name)


def test_buckets_may_be_named_like_domains() -> None:
    for src in (
        "https://img.example.com.storage.googleapis.com/a.png",
        "https://storage.googleapis.com/img.example.com/a.png",
    ):
        assert locate(src) == ("img.example.com", "a.png")
    firebase = "https://firebasestorage.googleapis.com/v0/b/app.firebasestorage.app/o/a%2Fb.png"
    assert locate(firebase) == ("app.firebasestorage.app", "a/b.png")


@pytest.mark.parametrize(
    "src",
    [
        "https://example.com/mug.jpg",
        "https://evil.test/storage.googleapis.com/shop/mug.jpg",
        "https://storage.googleapis.com.evil.test/shop/mug.jpg",
        "https://notstorage.googleapis.com/shop/mug.jpg",
        "https://storage.googleapis.com:8443/shop/mug.jpg",
        "https://storage.googleapis.com/shop",
        "https://storage.googleapis.com/shop/",
        "https://storage.googleapis.com/",
        "https://storage.googleapis.com/sh%2Fop/mug.jpg",
        "https://storage.googleapis.com/shop/../secret/mug.jpg",
        "https://storage.googleapis.com/shop/%2e%2e/mug.jpg",
        "https://storage.googleapis.com/shop/a%2F..%2Fmug.jpg",
        "https://storage.googleapis.com/shop/a%00.jpg",
        "https://storage.googleapis.com/shop/a%0D%0Ab.jpg",
        "https://storage.googleapis.com/shop/" + "ä" * 513,
        "https://firebasestorage.googleapis.com/v0/b/shop/o/",
        "https://firebasestorage.googleapis.com/v0/b/shop",
        "gs://SHOP/mug.jpg",
        "gs://shop/..",
        "gs://shop/a\r\nb",
        "data:image/png;base64,AAAA",
        "blob:https://example.com/1",
        "ftp://storage.googleapis.com/shop/mug.jpg",
        "file:///etc/passwd",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_object_of_a_bucket_is_nobodys(src: str) -> None:
    assert locate(src, SHOP) is None
    assert candidates(src, SHOP) == ()


@pytest.mark.parametrize(
    ("src", "remedy"),
    [
        ("", "1 to"),
        ("mug.jpg", "not absolute"),
        ("gs://", "names no object"),
        ("gs://shop", "names no object"),
        ("gs://shop/", "names no object"),
        ("gs:///mug.jpg", "names no object"),
        ("/shop/mug.jpg", "not absolute"),
        ("https://u:p@storage.googleapis.com/shop/mug.jpg", "leave out"),
        ("https://storage.googleapis.com@evil.test/shop/mug.jpg", "leave out"),
        ("https://", "no valid host"),
        ("https://storage.googleapis.com:port/shop/mug.jpg", "no valid host"),
        ("'mug.jpg'", "not absolute"),
        ("url(mug.jpg)", "not absolute"),
        ("https%3A%2F%2Fu:p@storage.googleapis.com%2Fshop%2Fmug.jpg", "leave out"),
        ("https://" + "ü." * 127 + "example/mug.jpg", "no valid host"),
        ("https://evil.test\\.storage.googleapis.com/mug.jpg", "no valid host"),
        ("https://storage.googleapis.com/shop/m\nug.jpg", "control characters"),
        ("https://storage.googleapis.com/shop/%FF.jpg", "UTF-8"),
        ("gs://shop/\ud800.jpg", "UTF-8"),
        ("https://storage.googleapis.com/shop/" + "a" * MAX_LENGTH, "1 to"),
    ],
)
def test_what_is_no_address_is_refused_with_a_remedy(src: str, remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        candidates(src, SHOP)


def test_a_uri_that_somebody_encoded_is_read_as_it_stands_first() -> None:
    assert candidates("gs://shop/a%20b.jpg?v=2#x")[:2] == (
        ("shop", "a%20b.jpg?v=2#x"),
        ("shop", "a b.jpg"),
    )
    assert candidates("gs://shop/a b.jpg")[0] == ("shop", "a b.jpg")
    assert candidates("gs://shop/100%25%FF.jpg")[0] == ("shop", "100%25%FF.jpg")
    assert candidates("https://storage.googleapis.com/shop/a%2520b") == (
        ("shop", "a%20b"),
        ("shop", "a b"),
    )


@pytest.mark.parametrize(
    "src",
    [
        "https://storage.googleapis.com/shop/%2e%2e/secret/mug.jpg",
        "https://storage.googleapis.com/./shop/../secret/mug.jpg",
        "https://www.example.com/media/../secret/mug.jpg",
    ],
)
def test_no_step_up_leads_out_of_a_bucket_or_an_origin(src: str) -> None:
    media = origins("https://www.example.com/media=shop")
    assert not [bucket for bucket, _ in candidates(src, media)]


@pytest.mark.parametrize("kind", FORMS)
def test_every_address_that_sites_make_of_an_image_leads_to_it(kind: str) -> None:
    known = origins(ORIGINS)
    missed = [src for src in FORMS[kind] if ("shop", NAME) not in candidates(src, known)]
    assert missed == []


def test_a_letter_that_javascript_escaped_in_two_halves_is_one() -> None:
    base = "https://storage.googleapis.com/shop"
    assert ("shop", "a🐶.jpg") in candidates(f"{base}/a%uD83D%uDC36.jpg")
    assert candidates(f"{base}/a%uD83D.jpg")[0] == ("shop", "a%uD83D.jpg")


def test_the_object_itself_comes_first_and_then_what_it_is_nearest_to() -> None:
    def names(src: str) -> list[str]:
        return [name for _, name in candidates(src, origins("https://www.example.com=shop"))]

    assert names("https://www.example.com/a/mug-300x200.jpg")[:2] == [
        "a/mug-300x200.jpg",
        "a/mug.jpg",
    ]
    assert names("https://www.example.com/_next/image?url=%2Fa.jpg")[:2] == ["_next/image", "a.jpg"]
    assert names("https://www.example.com/logo-small-300x200.png")[:3] == [
        "logo-small-300x200.png",
        "logo-small.png",
        "logo.png",
    ]
    assert names("https://www.example.com/a b.jpg")[:2] == ["a b.jpg", "a+b.jpg"]
    assert names("https://www.example.com/cafe%CC%81.jpg")[:2] == [
        "cafe\u0301.jpg",
        "caf\u00e9.jpg",
    ]


@pytest.mark.parametrize(
    ("src", "place"),
    [
        ("gs://shop//a.jpg", "/a.jpg"),
        ("https://storage.googleapis.com/shop/a//b.jpg", "a//b.jpg"),
        ("https://storage.googleapis.com/shop/a.jpg!b.jpg", "a.jpg!b.jpg"),
        ("https://storage.googleapis.com/shop/a%252Fb.jpg", "a%2Fb.jpg"),
        ("https://storage.googleapis.com/shop/url(a).jpg", "url(a).jpg"),
        ("https://storage.googleapis.com/shop/poster%202x", "poster 2x"),
        ("https://storage.googleapis.com/shop/%25u00e9.jpg", "%u00e9.jpg"),
        ("https://storage.googleapis.com/shop/%u00e9.jpg", "%u00e9.jpg"),
        ("https://storage.googleapis.com/shop/dogs, cats.jpg", "dogs, cats.jpg"),
        ("https://img.test/w=80,https://storage.googleapis.com/shop/a.jpg", "a.jpg"),
    ],
)
def test_a_name_that_looks_like_a_mistake_is_still_the_likeliest(src: str, place: str) -> None:
    assert candidates(src)[0] == ("shop", place)


@pytest.mark.parametrize(
    "src",
    [
        "gs://shop/photo-2.jpg",
        "gs://shop/room-101.jpg",
        "gs://shop/2026-11-26.jpg",
        "gs://shop/logo-dark.jpg",
        "gs://shop/photo-Winter24.jpg",
        "gs://shop/chair-XL2024.jpg",
        "gs://shop/team-deadbeef.jpg",
        "gs://shop/photo-1a2b3c4d.jpg",
        "gs://shop/mug.20240101.jpg",
        "gs://shop/mug.Final2024.jpg",
        "gs://shop/mug.v2.jpg",
        "gs://shop/year=2026/mug.jpg",
        "gs://shop/small.jpg",
        "gs://shop/thumbs.jpg",
        "gs://shop/small-dog.jpg",
        "gs://shop/thumb-up.jpg",
        "gs://shop/thumbs_down.jpg",
        "gs://shop/cart-icon.jpg",
        "gs://shop/yoga-master.jpg",
    ],
)
def test_a_name_that_is_no_copys_is_read_in_other_formats_only(src: str) -> None:
    stem = src.removeprefix("gs://shop/").removesuffix(".jpg")
    assert {name.rpartition(".")[0] for _, name in candidates(src)} == {stem}


@pytest.mark.parametrize(
    "src",
    [
        "https://storage.googleapis.com/shop/a.jpg?url=https://storage.googleapis.com/shop/b.jpg",
        "https://www.example.com/a.jpg?src=https%3A%2F%2Fstorage.googleapis.com%2Fshop%2Fb.jpg",
        "https://www.example.com/a.jpg?ref=gs://shop/b.jpg",
        "https://www.example.com/_next/image?url=%2F..%2Fshop%2Fb.jpg",
        "https://evil.test/_next/image?url=%2Fb.jpg",
        "https://evil.test/unsafe/300x200/b.jpg",
        "https://wsrv.nl/?url=javascript:https://storage.googleapis.com/shop/b.jpg",
        "https://wsrv.nl/?url=https://me@storage.googleapis.com/shop/b.jpg",
        "https://wsrv.nl/?url=storage.googleapis.com.evil.test/shop/b.jpg",
        "https://wsrv.nl/?url=aHR0c====",
        "https://evil.test/plain/gs://../b.jpg",
        "https://evil.test/aHR0cHM6Ly\u00ff",
    ],
)
def test_what_is_no_proxys_image_is_not_taken_for_one(src: str) -> None:
    known = origins("https://www.example.com=shop")
    assert ("shop", "b.jpg") not in candidates(src, known)


def test_a_proxy_of_proxies_is_followed_so_far_and_no_further() -> None:
    src = "https://storage.googleapis.com/shop/mug.jpg"
    for _ in range(3):
        src = f"https://evil.test/image/fetch/{src}"
    assert ("shop", "mug.jpg") in candidates(src)
    many = "&".join(f"url=https://storage.googleapis.com/shop/{n}.jpg" for n in range(150))
    for hostile in (f"https://evil.test/?{many}", "https://evil.test/" + "http://" * 1100):
        assert len(candidates(hostile)) <= MOST_CANDIDATES


@pytest.mark.parametrize("part", ["tr:a/", "-/a/b/", "http://", "a:b/", "cdn-cgi/image/w/"])
def test_what_somebody_makes_long_is_not_looked_at_many_times(part: str) -> None:
    src = f"https://img.example.com/{part}"
    src += part * ((MAX_LENGTH - len(src)) // len(part) - 1) + "a.jpg"
    assert sum(map(len, image_url._inside(src))) <= 3 * MAX_LENGTH
    assert len(originals(f"a{'-300x200' * 100}.jpg")) <= 6


@pytest.mark.parametrize(
    ("setting", "src", "place"),
    [
        ("https://*.example.com=shop", "https://a.example.com/m.jpg", ("shop", "m.jpg")),
        ("https://*.example.com=shop", "https://a.b.example.com/m.jpg", ("shop", "m.jpg")),
        ("https://*.example.com=shop", "https://example.com/m.jpg", None),
        ("https://*.example.com=shop", "https://a.example.com.evil.test/m.jpg", None),
        ("https://*.example.com=shop", "https://evil-example.com/m.jpg", None),
        ("https://*.example.com=shop", "https://evil.test/x.example.com/m.jpg", None),
        (
            "https://img*.example.com/i=shop/p",
            "https://img12.example.com/i/m.jpg",
            ("shop", "p/m.jpg"),
        ),
        ("https://img*.example.com/i=shop/p", "https://img.a.example.com/i/m.jpg", None),
        (
            "https://*.example.com=shop,https://raw.example.com=raws",
            "https://raw.example.com/m.jpg",
            ("raws", "m.jpg"),
        ),
        (
            "https://example.com/w=80,fit=cover=shop, https://b.example=other",
            "https://example.com/w=80,fit=cover/m.jpg",
            ("shop", "m.jpg"),
        ),
        (
            "https://example.com/w%3D300/x=shop",
            "https://example.com/w=300/x/m.jpg",
            ("shop", "m.jpg"),
        ),
        (
            "https://example.com=shop/dt=2026",
            "https://example.com/m.jpg",
            ("shop", "dt=2026/m.jpg"),
        ),
    ],
)
def test_an_origin_may_be_a_pattern_and_have_signs_of_its_own(
    setting: str, src: str, place: tuple[str, str] | None
) -> None:
    assert locate(src, origins(setting)) == place


@pytest.mark.parametrize("host", ["*", "*.com", "a.*.com", "*.*.example.com", "example.*"])
def test_a_pattern_that_would_take_strangers_hosts_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r"too wide a pattern|wrong address"):
        origins(f"https://{host}=shop")


def test_the_settings_origin_is_normalised() -> None:
    assert origins("HTTPS://Img.Example.com:443/A%20b/ = shop/pre/fix/ ,") == (
        Origin("img.example.com/A b", "shop", "pre/fix"),
    )
    assert bucket_names("a-b, img.example.com,a-b") == ("a-b", "img.example.com")


_PARTS = st.sampled_from(
    [
        *(
            "gs://",
            "https://",
            "HTTP://",
            "//",
            "ftp:",
            "/",
            "?",
            "#",
            "@",
            ":",
            ":443",
            "..",
            "\\",
        ),
        *("shop", "storage.googleapis.com", "shop.storage.googleapis.com", "img.example.com"),
        *("firebasestorage.googleapis.com", "v0", "b", "o", "storage", "v1", "raw", "a b", "ä"),
        *(
            "%",
            "%2F",
            "%2e%2E",
            "%00",
            "%FF",
            "%C3%A4",
            "%25",
            "\r\n",
            "\0",
            "\ud800",
            "[::1]",
            ".",
        ),
        *("_next/image?url=", "cdn-cgi/image/w=8/", "unsafe/8x8/", "plain/", "aHR0cHM6Ly9h", "&"),
        *("-300x200", "thumbs/", "@2x", ".webp", "i0.wp.com", "wsrv.nl/?url=", "image/upload/w_3/"),
    ]
)


@given(st.lists(_PARTS | st.text(max_size=5), max_size=12).map("".join))
def test_whatever_is_asked_is_an_object_or_nobodys_or_refused(src: str) -> None:
    try:
        objects = candidates(src, SHOP)
    except ValueError:
        return
    assert len(objects) <= MOST_CANDIDATES
    for bucket, name in objects:
        assert bucket_names(bucket) == (bucket,)
        assert 1 <= len(name.encode()) <= 1024
        assert not {"\0", "\r", "\n"} & set(name)
        assert src[:5].lower() == "gs://" or ".." not in name.split("/")
