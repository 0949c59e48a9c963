// A window of a browser in which nothing may go wrong unseen.

/**
 * @param {import('playwright-core').Browser} browser
 * @param {import('playwright-core').BrowserContextOptions} how
 * @param {string[]} complaints where it is written what broke
 */
export async function visit(browser, how, complaints) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 820 }, ...how })).newPage();
  page.setDefaultTimeout(20_000);
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  return page;
}
