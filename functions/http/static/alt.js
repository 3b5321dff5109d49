// <script src="…/alt.js" defer></script> fills missing alt attributes, and only those; a video
// that has no name gets an aria-label. With data-long, what is said of an image at length opens
// beside it.
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
  const owners = new WeakMap(); // details -> their image
  const states = new WeakMap(); // image -> what is known of it
  const known = new Map(); // language and address -> answer, or null
  const asked = new Set(); // the same, while nobody knows
  const roots = new Set();
  const shadows = script && script.dataset.shadow !== undefined;
  const long = script && script.dataset.long; // undefined: not wanted; text: what to call it
  const LONG = {
    de: 'Lange Beschreibung', en: 'Long description', es: 'Descripción larga', fr: 'Description longue',
  };
  // What holds no details: they come after the outermost of these.
  const CONTROL = 'a, button, label, summary, [role=button], [role=link], [role=tab], [role=option],' +
    '[role^=menuitem]';
  const INLINE = CONTROL + ', picture, p, h1, h2, h3, h4, h5, h6, pre, span, em, strong, b, i, small';
  const prefix = 'alt-long-' + Math.random().toString(36).slice(2, 8) + '-';
  let numbered = 0;
  const WANTED = 'img:not([alt]), video:not([aria-label])' + (long === undefined ? '' :
    ', img:not([alt=""], [aria-describedby], [longdesc]), video:not([aria-describedby])');
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
    const body = JSON.stringify({ src: batch, lang, long_description: long !== undefined });
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

  const primary = (tag) => String(tag || '').toLowerCase().split('-')[0];
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
  const hidden = (img) => /^\s*(none|presentation)\b/i.test(img.getAttribute('role')) ||
    img.closest('[aria-hidden="true"]');
  // Whether the page says what the image is, or that it is nothing.
  const intended = (img) =>
    hidden(img) || named.some((name) => (img.getAttribute(name) || '').trim());

  function language(element) {
    while (element) {
      const found = element.closest('[lang]');
      if (found) return found.getAttribute('lang');
      element = element.getRootNode().host;
    }
    return '';
  }

  // The element after which the details of an image go: none in a link that begins outside of this
  // root, nor in what somebody edits.
  function place(img) {
    let found = img.isContentEditable ? null : img;
    for (let each = found; each; each = each.parentElement) if (each.matches(INLINE)) found = each;
    for (let host = img.getRootNode().host; host; host = host.getRootNode().host) {
      if (host.closest(CONTROL)) return null;
    }
    return found;
  }

  function paragraph(text) {
    const made = document.createElement('p');
    made.dir = 'auto';
    made.textContent = text;
    return made;
  }

  // As W3C's images tutorial has it: text that everybody can open, pointed to by aria-describedby.
  // That reads the summary out, and the text where it is open: what is closed has no description.
  function describe(img, state, answer) {
    const after = answer.long_description && place(img);
    const described = img.hasAttribute('aria-describedby') || img.hasAttribute('longdesc');
    if (!after || described || state.fills++ >= REFILLS) return;
    const details = document.createElement('details');
    const summary = document.createElement('summary');
    const text = document.createElement('div');
    const page = primary(state.page);
    summary.textContent = long || LONG[page] || LONG.en;
    if (!long && !LONG[page]) summary.lang = 'en';
    if (primary(answer.language) !== page) text.lang = answer.language;
    details.id = prefix + ++numbered;
    text.append(...answer.long_description.split('\n').map(paragraph));
    details.dataset.altLong = '';
    details.append(summary, text);
    after.after(details);
    owners.set(details, img);
    img.setAttribute('aria-describedby', details.id);
  }

  // Takes away details whose image has gone, or is described by its page now; and copies, of which
  // nobody knows here.
  function tidy(root) {
    for (const details of root.querySelectorAll('details[data-alt-long]')) {
      const img = owners.get(details);
      const after = img && img.getAttribute('aria-describedby') === details.id && place(img);
      if (!after || after.parentNode !== details.parentNode) details.remove();
    }
    for (const img of root.querySelectorAll('[aria-describedby^="alt-long-"]')) {
      const details = root.querySelector('#' + CSS.escape(img.getAttribute('aria-describedby')));
      if (!details || owners.get(details) !== img) img.removeAttribute('aria-describedby');
    }
  }

  function clear(img, state) {
    const name = attribute(img);
    if (img.getAttribute(name) === state.text) img.removeAttribute(name);
    if (state.lang !== undefined && img.getAttribute('lang') === state.lang) img.removeAttribute('lang');
    img.removeAttribute('data-alt-source');
    img.removeAttribute('data-alt-missing');
    if (/^alt-long-/.test(img.getAttribute('aria-describedby'))) img.removeAttribute('aria-describedby');
    states.delete(img);
  }

  function write(img, state, answer) {
    if (long !== undefined) describe(img, state, answer);
    if (img.hasAttribute(attribute(img))) return; // the page's own
    if (isVideo(img) && !answer.alt) return; // a name of no words is none
    if (state.fills++ >= REFILLS) return;
    state.text = answer.alt;
    img.removeAttribute('data-alt-missing');
    img.setAttribute(attribute(img), answer.alt);
    img.setAttribute('data-alt-source', String(answer.source || ''));
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
    const missing = state.list.length && !img.hasAttribute(attribute(img));
    if (missing && !img.hasAttribute('data-alt-missing')) img.setAttribute('data-alt-missing', '');
  }

  function gather() {
    timer = 0;
    if (shadows) find(document);
    const questions = new Map();
    for (const root of roots) {
      if (root.host && !root.host.isConnected) continue;
      if (long !== undefined) tidy(root);
      for (const img of root.querySelectorAll(WANTED)) {
        if (img.hasAttribute(attribute(img)) ? hidden(img) : intended(img)) continue;
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
    if (record.attributeName === 'aria-describedby') return; // tidy sees to it
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
    if (long !== undefined) attributeFilter.push('aria-describedby');
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
