"""Which object a page means by an address."""

from __future__ import annotations

import pytest

from functions.core.image_url import Origin
from functions.sites.image_locator import ImageLocator

CDN = Origin("img.example.com", "cdn", "pictures")


@pytest.mark.parametrize(
    ("src", "name"),
    [
        ("a.png", "www/blog/a.png"),
        ("./a.png", "www/blog/a.png"),
        ("../a.png", "www/a.png"),
        ("../../../a.png", "www/a.png"),
        ("/img/a.png", "www/img/a.png"),
        ("/img/a%20b.png?v=1#x", "www/img/a b.png"),
        ("/img/a b.png", "www/img/a b.png"),
        ("/img/é.png", "www/img/é.png"),
        ("\\img\\a.png", "www/img/a.png"),
        ("im\ng.png", "www/blog/img.png"),
        ("https://www.example.com/a.png", "www/a.png"),
        ("HTTPS://WWW.example.com:443/a.png", "www/a.png"),
        ("http://www.example.com/a.png", "www/a.png"),
        ("//www.example.com/a.png", "www/a.png"),
        ("/%2e%2e/a.png", "www/a.png"),  # as browsers read it: no step leads out of the site
    ],
)
def test_what_lies_in_the_folder_lies_under_the_prefix(src: str, name: str) -> None:
    places = ImageLocator([CDN], "https://www.example.com/", "shop", "/www/")
    assert places.find(src, places.page("blog/index.html"))[0] == ("shop", name)


@pytest.mark.parametrize(
    "src",
    [
        "https://elsewhere.example/a.png",
        "https://www.example.com.evil.example/a.png",
        "https://www.example.com:8443/a.png",
        "data:image/png;base64,AAAA",
        "blob:https://www.example.com/1",
        "file:///a.png",
        "http://[",
        "/",
        "/%ff.png",
        "javascript:0",
    ],
)
def test_what_is_in_no_bucket_is_left_out(src: str) -> None:
    places = ImageLocator([CDN], "https://www.example.com", "shop")
    assert places.find(src, places.page("index.html")) == ()


@pytest.mark.parametrize(
    "src",
    [
        "gs://b-1/a/b.png",
        "https://storage.googleapis.com/b-1/a/b.png",
        "//storage.cloud.google.com/b-1/a/b.png",
        "http://b-1.storage.googleapis.com/a/b.png?x=1",
        "https://firebasestorage.googleapis.com/v0/b/b-1/o/a%2Fb.png?alt=media&token=t",
    ],
)
def test_addresses_of_cloud_storage_need_no_options(src: str) -> None:
    assert ImageLocator().find(src, ImageLocator().page("index.html"))[0] == ("b-1", "a/b.png")


def test_addresses_of_a_cdn_are_its_buckets() -> None:
    places = ImageLocator([CDN])
    assert places.find("https://img.example.com/a.png")[0] == ("cdn", "pictures/a.png")


def test_relative_addresses_without_a_bucket_are_nowhere() -> None:
    assert ImageLocator([CDN]).find("a.png", ImageLocator().page("index.html")) == ()


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("/", "a.png"),
        ("img/", "blog/img/a.png"),
        ("../img/x", "img/a.png"),
        ("https://www.example.com/other/", "other/a.png"),
    ],
)
def test_a_base_element_moves_relative_addresses(base: str, name: str) -> None:
    places = ImageLocator([], "https://www.example.com", "shop")
    assert places.find("a.png", places.page("blog/index.html"), base)[0] == ("shop", name)


def test_a_base_elsewhere_takes_relative_addresses_away() -> None:
    places = ImageLocator([CDN], "", "shop")
    assert places.find("a.png", places.page("x.html"), "https://img.example.com/2/")[0] == (
        "cdn",
        "pictures/2/a.png",
    )
    assert places.find("a.png", places.page("x.html"), "https://elsewhere.example/") == ()


def test_a_site_in_a_path_has_its_folder_there() -> None:
    places = ImageLocator([], "https://example.com/my%20docs", "shop", "d")
    page = places.page("guide/a b.html")
    assert page == "https://example.com/my%20docs/guide/a%20b.html"
    assert places.find("x.png", page)[0] == ("shop", "d/guide/x.png")
    assert places.find("/my docs/x.png", page)[0] == ("shop", "d/x.png")
    assert places.find("/x.png", page) == ()


def test_a_folder_inside_the_sites_can_be_what_is_stored() -> None:
    places = ImageLocator([], "", "local", inner="assets/img")
    page = places.page("blog/index.html")
    assert places.find("/assets/img/a.png", page)[0] == ("local", "a.png")
    assert places.find("/assets/a.png", page) == ()


@pytest.mark.parametrize("site", ["example.com", "ftp://example.com", "https://", "https://a?b"])
def test_a_site_that_is_no_address_of_the_web_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match=r"write https://|has no valid host"):
        ImageLocator([], site, "shop")
