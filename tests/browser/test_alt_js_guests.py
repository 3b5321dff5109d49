"""alt.js beside the libraries that pages are made with, which come from npm's registry."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.websites import SOON_MS, Website, filled

# Runs CommonJS in a page, as bundlers do.
_REQUIRE = """
const modules = {};
async function load(name, path) {
  const text = await (await fetch('/files/' + path)).text();
  const module = { exports: {} };
  new Function('module', 'exports', 'require', 'process', text)(
    module, module.exports, (each) => modules[each], { env: { NODE_ENV: 'production' } });
  modules[name] = module.exports;
}
"""
_REACT = f"""<div id=root></div><script type=module>{_REQUIRE}
await load('react', 'react/cjs/react.production.js');
await load('scheduler', 'scheduler/cjs/scheduler.production.js');
await load('react-dom', 'react-dom/cjs/react-dom.production.js');
await load('client', 'react-dom/cjs/react-dom-client.production.js');
const {{ createElement: h, useState }} = modules.react;
function App() {{
  const [state, set] = useState({{ src: '/images/mug.png', count: 0 }});
  window.set = (more) => set((old) => ({{ ...old, ...more }}));
  return h('p', {{ title: 'n' + state.count }}, h('img', {{ id: 'a', src: state.src }}),
    state.count > 1 && h('img', {{ id: 'late', src: '/images/new.png' }}));
}}
modules.client.createRoot(document.getElementById('root')).render(h(App));
</script>"""
_VUE = """<div id=root></div><script src="/files/vue/dist/vue.global.prod.js"></script><script>
const { createApp, reactive, h } = Vue;
const state = reactive({ src: '/images/mug.png', count: 0 });
window.set = (more) => Object.assign(state, more);
createApp({ render: () => h('p', { title: 'n' + state.count }, [
  h('img', { id: 'a', src: state.src, alt: undefined }),
  state.count > 1 ? h('img', { id: 'late', src: '/images/new.png' }) : null,
]) }).mount('#root');
</script>"""
_SVELTE_CLIENT = "/files/svelte/src"
_SVELTE = f"""<div id=root></div>
<script type=importmap>{{"imports": {{
  "svelte": "{_SVELTE_CLIENT}/index-client.js",
  "svelte/internal/client": "{_SVELTE_CLIENT}/internal/client/index.js",
  "svelte/internal/disclose-version": "{_SVELTE_CLIENT}/internal/disclose-version.js",
  "svelte/reactivity": "{_SVELTE_CLIENT}/reactivity/index-client.js",
  "svelte/events": "{_SVELTE_CLIENT}/events/index.js",
  "#client": "{_SVELTE_CLIENT}/internal/client/types.d.ts",
  "#client/constants": "{_SVELTE_CLIENT}/internal/client/constants.js",
  "clsx": "/files/clsx/dist/clsx.mjs",
  "esm-env": "/files/esm-env/index.js",
  "esm-env/browser": "/files/esm-env/true.js",
  "esm-env/development": "/files/esm-env/false.js",
  "esm-env/node": "/files/esm-env/false.js"
}}}}</script>
<script src="/files/svelte/compiler/index.js"></script>
<script type=module>
const source = `<script>
  let state = $state({{ src: '/images/mug.png', count: 0, rest: {{}} }});
  window.set = (more) => Object.assign(state, more);
  <\\/script>
  <p title={{'n' + state.count}}><img id="a" src={{state.src}} {{...state.rest}}>
  {{#if state.count > 1}}<img id="late" src="/images/new.png">{{/if}}</p>`;
const {{ js }} = svelte.compile(source, {{ generate: 'client' }});
const address = URL.createObjectURL(new Blob([js.code], {{ type: 'text/javascript' }}));
const [{{ default: App }}, {{ mount }}] = await Promise.all([import(address), import('svelte')]);
mount(App, {{ target: document.getElementById('root') }});
</script>"""
# Redrawn from HTML, as a server sends it: without the words.
_MORPH = """<div id=root></div>{}<script>
const state = {{ src: '/images/mug.png', count: 0 }};
const draw = () => `<div id=root><p title="n${{state.count}}"><img id=a src="${{state.src}}">
  ${{state.count > 1 ? '<img id=late src=/images/new.png>' : ''}}</p></div>`;
window.set = (more) => {{
  Object.assign(state, more);
  {}(document.getElementById('root'), draw());
}};
set({{}});
</script>"""
_MORPHDOM = _MORPH.format("<script src=/files/morphdom/dist/morphdom-umd.js></script>", "morphdom")
_IDIOMORPH = _MORPH.format(
    "<script src=/files/idiomorph/dist/idiomorph.js></script>", "Idiomorph.morph"
)
PAGES = {
    "react": _REACT,
    "vue": _VUE,
    "svelte": _SVELTE,
    "morphdom": _MORPHDOM,
    "idiomorph": _IDIOMORPH,
}
LAZY = {
    "lozad": (
        "<img id=a class=lozad data-src=/images/mug.png>",
        "<script src=/files/lozad/dist/lozad.min.js></script><script>lozad().observe()</script>",
    ),
    "lazysizes": (
        "<img id=a class=lazyload src=/images/line.png data-src=/images/mug.png>",
        "<script src=/files/lazysizes/lazysizes.js></script>",
    ),
    "lazysizes-srcset": (
        "<img id=a class=lazyload src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' "
        "data-sizes=auto data-srcset='/images/mug.png 300w, /images/none.png 600w'>",
        "<script src=/files/lazysizes/lazysizes.js></script>",
    ),
}


@pytest.mark.parametrize("library", PAGES)
def test_a_library_that_draws_the_page_keeps_the_words(
    guests: Website, page: Page, library: str
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    guests.open(page, PAGES[library])
    assert filled(page) == "Blue mug"

    for count in range(1, 4):
        page.evaluate("(count) => set({ count, rest: { title: 'x'.repeat(count - 1) } })", count)
        page.wait_for_selector(f"p[title=n{count}]", timeout=SOON_MS)
        assert filled(page) == "Blue mug"
    assert filled(page, "#late") == "New picture"

    page.evaluate("set({ src: '/images/new.png', rest: {} })")
    page.wait_for_selector("#a[alt='New picture']", timeout=SOON_MS)
    asked = [src for each in guests.function.asked for src in each["src"]]
    assert len(asked) == len(set(asked)) == 2
    assert not errors


@pytest.mark.parametrize("library", LAZY)
def test_a_lazy_image_has_the_words_of_what_will_be_shown(
    guests: Website, page: Page, library: str
) -> None:
    image, script = LAZY[library]
    guests.open(page, f"<div style='height: 9000px'></div>{image}{script}")
    assert filled(page) == "Blue mug"

    page.locator("#a").scroll_into_view_if_needed()
    page.wait_for_function("a.currentSrc.endsWith('mug.png')", timeout=SOON_MS)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img id=z src=/images/new.png>')")
    assert filled(page, "#z") == "New picture"
    assert filled(page) == "Blue mug"


@pytest.mark.parametrize("library", PAGES)
def test_a_library_that_draws_the_page_has_each_long_description_once(
    guests: Website, page: Page, library: str
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    guests.open(page, PAGES[library], more="data-long")
    page.wait_for_function("window.set && window.a", timeout=SOON_MS)
    page.evaluate("set({ src: '/images/chart.png' })")
    details = page.locator("p + details:has-text('Bar chart.')")
    expect(details).to_have_count(1)

    for count in range(1, 4):
        page.evaluate("(count) => set({ count })", count)
        page.wait_for_selector(f"p[title=n{count}]", timeout=SOON_MS)
        expect(page.locator("details[id]:last-child")).to_have_count(1)
        page.wait_for_function("a.getAttribute('aria-describedby')", timeout=SOON_MS)
    expect(page.locator("details")).to_have_count(1)
    page.evaluate("set({ src: '/images/mug.png' })")
    expect(page.locator("details, [aria-describedby]")).to_have_count(0)
    assert not errors
