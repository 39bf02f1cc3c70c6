// Looks at the pages with a real browser: screenshots, filter and sort, the keyboard, and what axe-core finds.
//
//   node tests/stack/page.mjs URL [DIRECTORY] [ACCOUNT...]
//
// URL is a running exporter (or `cargo run --example fleet_page`), DIRECTORY where screenshots go, ACCOUNT the accounts whose pages are looked at too.
// Needs playwright-core and axe-core (npm install --no-save playwright-core axe-core) and Chromium (CHROMIUM, default /usr/bin/chromium).

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

// From where it is run, so that the packages need not lie beside this file.
const require = createRequire(join(process.cwd(), "package.json"));
const { chromium } = require("playwright-core");
const axeSource = require.resolve("axe-core/axe.min.js");

const [url, directory = "screenshots", ...accounts] = process.argv.slice(2);
assert(url, "usage: page.mjs URL [DIRECTORY] [ACCOUNT...]");
mkdirSync(directory, { recursive: true });

const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280 },
  { name: "dark", colorScheme: "dark", width: 1280 },
  { name: "phone", colorScheme: "light", width: 360 },
  { name: "phone-dark", colorScheme: "dark", width: 360 },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

// A page that must not complain: an error on the console is a broken policy or script.
async function open(look, path, options = {}) {
  // axe is put in by the test; the page's own policy would forbid it. The policy is tested without it below.
  const context = await browser.newContext({
    colorScheme: look.colorScheme,
    viewport: { width: look.width, height: 800 },
    bypassCSP: options.bypassCSP ?? false,
    javaScriptEnabled: options.javaScriptEnabled ?? true,
  });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    const same = new URL(request.url()).origin === new URL(url).origin;
    if (!same && !request.url().startsWith("data:")) complaints.push("loads " + request.url());
  });
  const response = await page.goto(new URL(path, url).href);
  assert.equal(response.status(), 200, path);
  return { context, page, complaints };
}

async function look(at, path, name) {
  const { context, page, complaints } = await open(at, path);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert(width <= at.width, `${path} is ${width} px wide at ${at.width} px`);
  await page.screenshot({ path: join(directory, `${name}-${at.name}.png`), fullPage: true });
  assert.deepEqual(complaints, [], path);
  await context.close();
}

async function axe(at, path) {
  const { context, page } = await open(at, path, { bypassCSP: true });
  await page.addScriptTag({ path: axeSource });
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
  assert.deepEqual(found, [], `${path} (${at.name})`);
  await context.close();
  return passes.length;
}

// Does something that leads to another page, and waits for it.
async function follow(page, act) {
  const loaded = page.waitForEvent("load");
  await act();
  await loaded;
}

const names = (page) => page.locator("table.fleet tbody tr:not([hidden]) .who").allTextContents();
const pages = ["/", ...accounts.map((id) => `/accounts/${encodeURIComponent(id)}`)];

for (const path of pages) {
  const name = path === "/" ? "fleet" : path.slice("/accounts/".length).replace(/[^\w-]+/g, "_");
  for (const at of LOOKS) await look(at, path, name);
  for (const at of LOOKS) console.log(`axe: no violation in ${path} (${at.name}), ${await axe(at, path)} rules passed`);
}

// Filter and sort with the script, in place.
{
  const { context, page, complaints } = await open(LOOKS[0], "/");
  const all = await names(page);
  assert(all.length > 2, "a fleet of some accounts is needed");
  const one = (await page.locator("table.fleet tbody tr .id").allTextContents())[0];
  await page.getByRole("searchbox").fill(one);
  assert.equal((await names(page)).length, 1, "the filter shows one account");
  assert.match(await page.getByRole("status").textContent(), /^1 of \d+ on this page(, Find looks at all)?$/);
  await page.getByRole("searchbox").fill("");
  assert.deepEqual(await names(page), all, "an empty filter shows all again");
  const whole = (await page.locator("table.fleet").getAttribute("data-whole")) === "true";
  const account = page.getByRole("columnheader", { name: "Account" });
  const sorted = async (order) => {
    await account.getByRole("link").click();
    if (!whole) await page.waitForURL(/sort=account/);
    await page.waitForSelector(`th[aria-sort=${order}]`);
    return names(page);
  };
  const due = [...all].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const [up, down] = [await sorted("ascending"), await sorted("descending")];
  // A fleet of several pages is sorted by the server, across all of them.
  if (whole) assert.deepEqual([up, down], [due, [...due].reverse()], "sorted by name, both ways");
  else assert.notDeepEqual(up, down);
  assert.deepEqual(complaints, []);
  await context.close();
  console.log(`filter and sort: ${all.length} accounts`);
}

// A search that the server answered leaves the whole fleet within reach: the script must not search what it found.
{
  const { context, page } = await open(LOOKS[0], "/");
  const total = (await names(page)).length;
  const one = (await page.locator("table.fleet tbody tr .id").allTextContents())[0];
  await page.goto(new URL(`/?q=${one}`, url).href);
  assert.equal((await names(page)).length, 1, "found by the server");
  await page.getByRole("searchbox").fill("");
  await follow(page, () => page.getByRole("searchbox").press("Enter"));
  assert.equal((await names(page)).length, total, "all again");
  await context.close();
}

// The same without a script, by asking the server.
{
  const { context, page } = await open(LOOKS[0], "/", { javaScriptEnabled: false });
  const total = (await names(page)).length;
  const bad = page.getByRole("navigation", { name: "Filter by state" }).getByRole("link", { name: "Non-compliant" });
  const due = Number((await bad.locator("b").textContent()).replace(",", ""));
  await follow(page, () => bad.click());
  assert.equal((await names(page)).length, Math.min(due, 200), "filtered by state");
  await follow(page, () => page.getByRole("navigation", { name: "Filter by state" }).getByRole("link", { name: "All" }).click());
  await follow(page, () => page.getByRole("columnheader", { name: "Account" }).getByRole("link").click());
  assert.equal((await names(page)).length, total);
  assert.equal(await page.locator("th[aria-sort=ascending]").count(), 1);
  const first = (await names(page))[0];
  await page.getByRole("searchbox").fill(first);
  await follow(page, () => page.keyboard.press("Enter"));
  assert((await names(page)).includes(first), "found by name");
  const link = page.locator("table.fleet .who").first();
  const name = await link.textContent();
  await follow(page, () => link.click());
  assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), name, "the link leads to the account");
  await context.close();
  console.log("without a script: filter, sort, search and links work");
}

// The keyboard: the first stop skips to the content, and every stop can be seen.
{
  const { context, page } = await open(LOOKS[0], "/");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  for (let stop = 0; stop < 12; stop += 1) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => {
      const style = getComputedStyle(document.activeElement);
      return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    assert(seen, `stop ${stop} cannot be seen`);
  }
  await context.close();
  console.log("keyboard: the skip link comes first, every stop is outlined");
}

// What the page costs.
{
  const { context, page } = await open(LOOKS[0], "/");
  const cost = await page.evaluate(() => {
    const [entry] = performance.getEntriesByType("navigation");
    return { firstByte: Math.round(entry.responseStart - entry.requestStart), sent: entry.transferSize, bytes: entry.decodedBodySize, done: Math.round(entry.domComplete) };
  });
  console.log(`cost: first byte after ${cost.firstByte} ms, ${cost.sent} bytes sent, ${cost.bytes} unpacked, complete after ${cost.done} ms`);
  await context.close();
}

await browser.close();
