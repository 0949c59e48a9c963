// How long frames take while something moves, and how long a key takes. Times are in milliseconds.

/** The middle, what 95 of 100 stay below, and the most. @param {number[]} times */
export function told(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1));
  return { middle: at(0.5), p95: at(0.95), most: at(1) };
}

/**
 * Scrolls by so many pixels a frame; how long each frame took.
 * @param {import('playwright-core').Page} page
 * @param {{ at: string, frames: number, by: number }} wish
 * @returns {Promise<number[]>}
 */
export function scrolled(page, wish) {
  return page.evaluate(async ({ at, frames, by }) => {
    const view = document.querySelector(at);
    if (!view) throw new Error(`no ${at}`);
    const next = () => new Promise((/** @type {(now: number) => void} */ resolve) => requestAnimationFrame(resolve));
    const times = [];
    let before = await next();
    for (let i = 0; i < frames; i += 1) {
      view.scrollTop += by;
      const now = await next();
      times.push(now - before);
      before = now;
    }
    return times;
  }, wish);
}

/**
 * Moves the pointer, pressed, once a frame; how long each frame took, the page's own work in it, and letting go.
 * @param {import('playwright-core').Page} page
 * @param {{ at: string, frames: number }} wish
 */
export function dragged(page, wish) {
  return page.evaluate(async ({ at, frames }) => {
    const target = document.querySelector(at);
    if (!target) throw new Error(`no ${at}`);
    const box = target.getBoundingClientRect();
    const tell = (/** @type {string} */ type, /** @type {number} */ x, /** @type {number} */ y) =>
      target.dispatchEvent(new PointerEvent(type, { clientX: x, clientY: y, pointerId: 1, button: 0, buttons: 1, bubbles: true, pointerType: 'mouse' }));
    Element.prototype.setPointerCapture = () => {};
    const places = Array.from({ length: frames }, (_, i) => [box.left + box.width * (0.5 + 0.3 * Math.sin(i / 9)), box.top + box.height * (0.5 + 0.3 * Math.cos(i / 7))]);
    tell('pointerdown', places[0]?.[0] ?? 0, places[0]?.[1] ?? 0);
    /** @type {number[]} */
    const times = [];
    /** @type {number[]} */
    const works = [];
    let before = performance.now();
    for (const [x, y] of places) {
      tell('pointermove', x ?? 0, y ?? 0);
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const began = performance.now();
      times.push(began - before);
      before = began;
      // What was asked for in this frame runs after this; the task behind it begins when it is done.
      await new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = resolve;
        port2.postMessage(0);
      });
      works.push(performance.now() - began);
    }
    const last = performance.now();
    tell('pointerup', places.at(-1)?.[0] ?? 0, places.at(-1)?.[1] ?? 0);
    await new Promise((resolve) => setTimeout(resolve));
    return { times, works, lifted: performance.now() - last };
  }, wish);
}

/**
 * Presses a label key and returns the milliseconds until the next example is on the screen.
 * @param {import('playwright-core').Page} page
 * @param {string} key
 * @returns {Promise<number>}
 */
export async function labelled(page, key) {
  await page.evaluate((wanted) => {
    const id = () => document.querySelector('[data-testid=current]')?.getAttribute('data-example');
    const old = id();
    let began = 0;
    addEventListener('keydown', (event) => event.key === wanted && (began = performance.now()), { capture: true, once: true });
    Object.assign(globalThis, {
      labelled: new Promise((resolve) => {
        const look = () => (id() !== old && began > 0 ? requestAnimationFrame(() => resolve(performance.now() - began)) : requestAnimationFrame(look));
        requestAnimationFrame(look);
      }),
    });
  }, key);
  await page.keyboard.press(key);
  return page.evaluate(() => Reflect.get(globalThis, 'labelled'));
}
