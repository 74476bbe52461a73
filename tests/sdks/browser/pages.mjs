// Opens pages in a real browser: node pages.mjs BROWSER PAGE… or node pages.mjs BROWSER --time PAGE.
// It fails if a page requests anything but itself, writes to the console, or if axe-core finds a fault.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [executablePath, ...pages] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), "mfactl-browser-"));
const axe = readFileSync("node_modules/axe-core/axe.min.js", "utf8");
const browser = await puppeteer.launch({
  executablePath,
  userDataDir: profile,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});

// A page that is watched: what it requests and what it reports.
async function open(file, { scheme = "light", scripts = true, width = 1200 } = {}) {
  const page = await browser.newPage();
  const seen = { requests: [], console: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("console", (message) => seen.console.push(message.text()));
  page.on("pageerror", (error) => seen.console.push(String(error)));
  await page.setViewport({ width, height: 900 });
  await page.setJavaScriptEnabled(scripts);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  const address = pathToFileURL(resolve(file)).href;
  await page.goto(address, { waitUntil: "load" });
  return { page, seen, address };
}

function isQuiet({ seen, address }, what) {
  const others = seen.requests.filter((url) => url !== address);
  assert.deepEqual(others, [], `${what}: requests`);
  assert.deepEqual(seen.console, [], `${what}: console`);
}

async function isAccessible({ page }, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const faults = violations.map((one) => `${one.id}: ${one.help}: ${one.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
  assert.deepEqual(faults, [], `${what}: axe-core`);
}

// Everything but single users is there without scripts.
async function isReadableWithoutScripts(file, scheme) {
  const opened = await open(file, { scheme, scripts: false });
  const { page } = opened;
  const text = await page.evaluate(() => document.body.innerText);
  const tables = await page.evaluate(() => document.querySelectorAll("main table").length);
  assert.ok(tables > 0 && text.length > 300, `${file}: ${tables} tables`);
  const hasPeople = await page.evaluate(() => !!document.getElementById("people"));
  assert.equal(/With scripts, this page lists them here/.test(text), hasPeople, `${file}: the note`);
  isQuiet(opened, `${file} without scripts`);
  await page.close();
}

// Sorts the first table of users and filters it with the keyboard alone.
async function keyboardWorks(file) {
  const opened = await open(file);
  const { page } = opened;
  if (!(await page.$("#people table"))) return void (await page.close());
  const names = () => page.$$eval("#people tbody tr", (rows) => rows.map((row) => row.cells[0].textContent));
  const before = await names();
  assert.ok(before.length > 1, `${file}: users`);
  await page.focus("#people thead th button");
  await page.keyboard.press("Enter");
  assert.equal(await page.$eval("#people thead th", (head) => head.getAttribute("aria-sort")), "ascending");
  await page.keyboard.press("Space");
  assert.equal(await page.$eval("#people thead th", (head) => head.getAttribute("aria-sort")), "descending");
  const falling = await names();
  const sorted = falling.map((name) => name.toLowerCase());
  assert.deepEqual(sorted, sorted.slice().sort().reverse(), `${file}: sorted`);
  await page.focus("#people input");
  const word = before[0].split("@")[0];
  await page.keyboard.type(word);
  const found = await names();
  assert.ok(found.includes(before[0]) && found.length < before.length, `${file}: filtered by ${word}`);
  await page.keyboard.type(" no such user");
  assert.deepEqual(await names(), []);
  isQuiet(opened, `${file} with the keyboard`);
  await page.close();
}

async function prints(file) {
  const opened = await open(file, { scheme: "dark" });
  const pdf = await opened.page.pdf({ format: "A4" });
  assert.ok(pdf.length > 10_000, `${file}: printed`);
  isQuiet(opened, `${file} printed`);
  await opened.page.close();
}

// The window of a telephone shows the page without scrolling to the side.
async function fitsSmallWindows(file) {
  const opened = await open(file, { width: 390 });
  const wide = await opened.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${file}: ${wide} pixels in a window of 390`);
  await isAccessible(opened, `${file} in a small window`);
  await opened.page.close();
}

async function check(file) {
  for (const scheme of ["light", "dark"]) {
    const opened = await open(file, { scheme });
    isQuiet(opened, `${file} ${scheme}`);
    await isAccessible(opened, `${file} ${scheme}`);
    await opened.page.close();
    await isReadableWithoutScripts(file, scheme);
  }
  await keyboardWorks(file);
  await fitsSmallWindows(file);
  await prints(file);
}

async function time(file) {
  const opened = await open(file);
  const load = await opened.page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd);
  const rows = await opened.page.$$eval("#people tbody tr", (found) => found.length);
  const shown = await opened.page.$eval("#people .shown", (line) => line.textContent);
  assert.equal(rows, 200, shown);
  isQuiet(opened, file);
  console.log(`load event after ${Math.round(load)} ms: ${shown}`);
  await opened.page.close();
}

try {
  if (pages[0] === "--time") await time(pages[1]);
  else for (const file of pages) await check(file);
  console.log("done");
} finally {
  await browser.close();
  rmSync(profile, { recursive: true, force: true });
}
