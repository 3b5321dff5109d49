// <script src="…/alt.js" defer></script> fills missing alt attributes, and only those; a video
// that has no name gets an aria-label.
(() => {
  'use strict';
  // A module has no currentScript; its own address stands in the trace of an error.
  const trace = /https?:\/\/[^\s()@]+?\/alt\.js[^\s():]*/;
  const script = document.currentScript || document.querySelector('script[src*="/alt.js"]');
  const address = document.currentScript ? script.src : (trace.exec(new Error().stack) || [])[0];
  if (!address) return;
  const endpoint = new URL('.', address).href;
  const mark = Symbol.for('alt.js ' + endpoint);
  if (window[mark]) return;
  window[mark] = true;

  const MOST = 100, GATHER = 100, PATIENCE = 8000, PAUSE = 2000, CANDIDATES = 8, REFILLS = 50;
  const LATER = ['data-src', 'data-lazy-src', 'data-original', 'data-echo'];
  const POSTERS = ['data-poster', 'poster'];
  const SETS = ['srcset', 'data-srcset', 'data-lazy-srcset'];
  const states = new WeakMap(); // image -> what is known of it
  const known = new Map(); // language and address -> answer, or null
  const asked = new Set(); // the same, while nobody knows
  const roots = new Set();
  const shadows = script && script.dataset.shadow !== undefined;
  let timer;

  async function post(body) {
    const abort = new AbortController();
    const alarm = setTimeout(() => abort.abort(), PATIENCE);
    try {
      const answer = await fetch(endpoint, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
        credentials: 'omit',
        signal: abort.signal,
      });
      if (answer.ok) return (await answer.json()) || {};
      if (answer.status < 500 && answer.status !== 429) return {};
    } catch { /* slow, out of reach, or no JSON */ } finally {
      clearTimeout(alarm);
    }
  }

  async function ask(lang, batch) {
    const body = JSON.stringify({ src: batch, lang });
    let answer = await post(body);
    if (!answer) {
      await new Promise((done) => setTimeout(done, PAUSE));
      answer = await post(body);
    }
    const images = answer && typeof answer.images === 'object' && answer.images;
    if (!images) return;
    for (const src of batch) {
      const image = images[src];
      known.set(lang + ' ' + src, image && typeof image.alt === 'string' ? image : null);
    }
    gather();
  }

  const isVideo = (element) => element.localName === 'video';
  const attribute = (element) => (isVideo(element) ? 'aria-label' : 'alt');

  // What the picture may be asked for by, best first. Until a script loads what data-src says,
  // a placeholder stands in src.
  function candidates(img) {
    const picture = img.parentElement && img.parentElement.localName === 'picture';
    const videos = isVideo(img) ? [...img.querySelectorAll('source')] : [];
    const posters = isVideo(img) ? POSTERS.map((name) => img.getAttribute(name)) : [];
    const all = [...(picture ? img.parentElement.querySelectorAll('source') : []), img];
    const sets = (name) => all.flatMap((each) => (each.getAttribute(name) || '')
      .split(/,\s+|\s+[\d.]+[wx],?/).map((part) => part.trim()));
    const [srcset, ...later] = SETS.map(sets);
    const found = new Set();
    for (const each of [
      ...LATER.map((name) => img.getAttribute(name)), ...later.flat(),
      img.currentSrc, img.src, ...srcset,
      ...videos.flatMap((each) => [each.getAttribute('data-src'), each.src]), ...posters,
    ]) {
      try {
        const url = each && new URL(each, document.baseURI).href;
        if (/^https?:/.test(url)) found.add(url);
      } catch { /* no address */ }
    }
    return [...found].slice(0, CANDIDATES);
  }

  const named = ['aria-label', 'aria-labelledby', 'title'];
  // Whether the page says what the image is, or that it is nothing.
  const intended = (img) => /^\s*(none|presentation)\b/i.test(img.getAttribute('role')) ||
    img.closest('[aria-hidden="true"]') || named.some((name) => (img.getAttribute(name) || '').trim());

  function language(element) {
    while (element) {
      const found = element.closest('[lang]');
      if (found) return found.getAttribute('lang');
      element = element.getRootNode().host;
    }
    return '';
  }

  function clear(img, state) {
    const name = attribute(img);
    if (img.getAttribute(name) === state.text) img.removeAttribute(name);
    if (state.lang !== undefined && img.getAttribute('lang') === state.lang) img.removeAttribute('lang');
    img.removeAttribute('data-alt-source');
    img.removeAttribute('data-alt-missing');
    states.delete(img);
  }

  function write(img, state, answer) {
    if (isVideo(img) && !answer.alt) return; // a name of no words is none
    if (state.fills++ >= REFILLS) return;
    state.text = answer.alt;
    img.removeAttribute('data-alt-missing');
    img.setAttribute(attribute(img), answer.alt);
    img.setAttribute('data-alt-source', String(answer.source || ''));
    const primary = (tag) => String(tag || '').toLowerCase().split('-')[0];
    const other = answer.alt && primary(answer.language);
    if (other && other !== primary(state.page) && (state.lang || !img.hasAttribute('lang'))) {
      state.lang = answer.language;
      img.setAttribute('lang', state.lang);
    }
  }

  // Fills an image, or returns the address that has to be asked for.
  function fill(img, state) {
    for (const src of state.list) {
      const question = state.page + ' ' + src;
      const answer = known.get(question);
      if (answer) return void write(img, state, answer);
      if (answer === undefined) return asked.has(question) ? undefined : src;
    }
    if (state.list.length && !img.hasAttribute('data-alt-missing')) img.setAttribute('data-alt-missing', '');
  }

  function gather() {
    timer = 0;
    if (shadows) find(document);
    const questions = new Map();
    for (const root of roots) {
      if (root.host && !root.host.isConnected) continue;
      for (const img of root.querySelectorAll('img:not([alt]), video:not([aria-label])')) {
        if (intended(img)) continue;
        let state = states.get(img);
        if (!state || !state.list.length) {
          state = { list: candidates(img), page: language(img), fills: 0 };
          states.set(img, state);
        }
        const src = fill(img, state);
        if (!src) continue;
        asked.add(state.page + ' ' + src);
        questions.set(state.page, [...(questions.get(state.page) || []), src]);
      }
    }
    for (const [lang, all] of questions) {
      while (all.length) ask(lang, all.splice(0, MOST));
    }
  }

  const soon = () => { timer = timer || setTimeout(gather, GATHER); };

  function changed(record) {
    const parent = record.target.localName === 'source' && record.target.parentElement;
    const img = parent ? parent.closest('video') || parent.querySelector('img') : record.target;
    const state = img && states.get(img);
    if (!state) return;
    const name = attribute(img);
    if (record.attributeName !== name) {
      if ([...candidates(img)].sort().join() !== [...state.list].sort().join()) clear(img, state);
    } else if (!img.hasAttribute(name)) {
      if (!intended(img)) fill(img, state); // before it is painted
    } else if (img.getAttribute(name) !== state.text) {
      clear(img, state);
    }
  }

  const observer = new MutationObserver((records) => {
    for (const record of records) if (record.type === 'attributes') changed(record);
    soon();
  });

  function watch(root) {
    if (roots.has(root)) return;
    roots.add(root);
    const attributeFilter = ['alt', 'aria-label', 'src', ...SETS, ...LATER, ...POSTERS];
    observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter });
  }

  function find(root) {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) {
        watch(element.shadowRoot);
        find(element.shadowRoot);
      }
    }
  }

  watch(document);
  if (shadows) {
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function attachShadow(options) {
      soon();
      return attach.call(this, options);
    };
  }
  soon();
})();
