/**
 * The dashboard in a real browser, as an operator uses it: by what it says and by the names that a screen reader hears.
 *
 * SPILLWAY_SCREENSHOT names the file that the picture of it is written to, which the README shows.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Gateway from "@spillway/gateway/Gateway"
import type * as Simulator from "@spillway/testing/Simulator"
import { Effect, type Scope } from "effect"
import * as Redacted from "effect/Redacted"
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core"
import { afterAll, beforeAll, inject } from "vitest"
import { browse, type Browsing, launch } from "./browser.js"
import { call, operated, secrets } from "./operated.js"
import { given } from "./served.js"

const { chromium } = inject("servers")

const root = "sk-spillway-root-0123456789"
const user = "sk-spillway-user-0123456789"
const access: Gateway.Options["access"] = {
  keys: [
    { name: "olga", key: Redacted.make(root), role: "admin" },
    { name: "client", key: Redacted.make(user) }
  ]
}

const prompt = "a prompt that no operator may see"

interface Operator extends Browsing {
  readonly gateway: Gateway.Service
  readonly origin: string
  readonly simulator: Simulator.Service
}

/** The dashboard, open, after a few calls. */
const operator = (
  { calls = 12, seenAs, ...options }: Gateway.Options & { readonly seenAs?: BrowserContextOptions; readonly calls?: number } = {}
): Effect.Effect<Operator, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const { gateway, origin, simulator } = yield* operated({}, options)
    yield* given(() => Promise.all(Array.from({ length: calls }, (_, nth) => call(origin, nth))))
    const browsing = yield* browse(browser, origin, seenAs)
    yield* given(() => browsing.page.goto(`${origin}/dashboard`))
    // it has heard twice: what happens from now on is a rate
    if (options.access === undefined) yield* given(() => browsing.page.getByRole("img", { name: /^Queue: lines/ }).waitFor())
    return { ...browsing, gateway, origin, simulator }
  })

/** Waits until an element says something. */
const says = async (where: Locator, what: string | RegExp): Promise<void> => {
  const texts = where.filter({ hasText: what })
  await texts.first().waitFor({ timeout: 10_000 }).catch(async () => {
    assert.match(await where.allInnerTexts().then((all) => all.join("\n")), what instanceof RegExp ? what : new RegExp(what))
  })
}

const card = (page: Page, backend: string): Locator => page.getByRole("article", { name: backend, exact: true })
const row = (page: Page, key: string, backend: string): Locator =>
  page.getByRole("table", { name: /^Every key/ }).getByRole("row").filter({ has: page.getByRole("rowheader", { name: key, exact: true }) })
    .filter({ has: page.getByRole("cell", { name: backend, exact: true }) })
const tile = (page: Page, name: string): Locator => page.locator("#tiles > div").filter({ hasText: new RegExp(`^${name}`) })
const press = (where: Page | Locator, name: string | RegExp) => where.getByRole("button", { name }).click()

/** What a checker of accessibility finds wrong. */
const complaints = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"))
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run(document, { resultTypes: ["violations"] })) as any
  return violations.flatMap(({ help, id, nodes }: any) =>
    nodes.map(({ html, failureSummary }: any) => `${id}: ${help}: ${html.slice(0, 200)} ${failureSummary}`))
}

const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)

let browser: Browser

const tests = (program: string) => {
  beforeAll(async () => {
    browser = await launch(program)
  })
  afterAll(() => browser.close())

  it.scopedLive("shows what there is, and goes on doing so, without a word of a key or a prompt", () =>
    Effect.gen(function*() {
      const { origin, page, problems } = yield* operator()
      yield* given(async () => {
        await says(page.getByRole("banner").getByRole("status"), "Live")
        await says(card(page, "openai"), /serving/)
        await says(card(page, "openai"), /Spent\s*\$0\.0/)
        await says(row(page, "team-a", "openai"), /ready/)
        await says(page.getByRole("table", { name: "By tenant" }), /support/)
        await says(page.getByRole("table", { name: /^Of each budget/ }).getByRole("row"), /a day.*support.*of \$1/s)
        await page.getByRole("img", { name: "Calls per second: lines; what they are at now is listed next" }).waitFor()
        const sent = async () => Number(await row(page, "anonymous", "ollama").getByRole("cell").nth(4).innerText())
        const before = await sent()
        for (const nth of [3, 7, 11]) await call(origin, nth)
        await says(row(page, "anonymous", "ollama").getByRole("cell").nth(4), new RegExp(`^${before + 3}$`))
        await says(tile(page, "Calls"), /[1-9]/)
        const drawn = await page.locator("canvas").first().evaluate((canvas: HTMLCanvasElement) =>
          canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value !== 0))
        assert.isTrue(drawn, "lines are drawn")
        const everything = await page.content()
        for (const secret of [...secrets, prompt]) assert.notInclude(everything, secret)
      })
      assert.deepStrictEqual(problems, [])
    }))

  it.scopedLive("shows what fails, what may help, and how a circuit opened", () =>
    Effect.gen(function*() {
      const { origin, page, problems, simulator } = yield* operator()
      yield* simulator.down("refuse", "groq")
      yield* given(() => Promise.all(Array.from({ length: 8 }, () => call(origin, 2))))
      yield* given(async () => {
        await says(card(page, "groq"), /circuit open/)
        await says(page.getByRole("table", { name: /that failed/ }).getByRole("row"), /groq.*network failure.*ask again.*attempt 1/s)
        await says(page.getByRole("table", { name: /latest changes/ }).getByRole("row"), /groq.*closed.*open.*it failed: network failure/s)
        await page.getByRole("img", { name: "groq: open now, open once in the last half hour" }).waitFor()
        await says(page.getByRole("figure").filter({ hasText: "Errors per second" }), /circuit open/)
        assert.strictEqual(await page.title(), "(1) Spillway")
      })
      assert.deepStrictEqual(problems, [])
    }))

  it.scopedLive("pauses a backend and lets it go on, once it is meant", () =>
    Effect.gen(function*() {
      const { origin, page } = yield* operator()
      yield* given(async () => {
        await press(page, "Pause openai")
        await press(page.getByRole("dialog"), "Cancel")
        await press(page, "Pause openai")
        await press(page.getByRole("dialog", { name: "Pause openai?" }), "Pause")
        await says(page.getByText("openai is paused"), "openai is paused")
        await says(card(page, "openai"), /paused/)
        const waiting = call(origin, 0)
        await says(card(page, "openai"), /Waiting\s*1 of 100/)
        await press(page, "Resume openai")
        assert.strictEqual(await waiting, 200)
        await says(card(page, "openai"), /serving/)
      })
    }))

  it.scopedLive("opens a circuit for a time, closes it, and changes limits", () =>
    Effect.gen(function*() {
      const { origin, page } = yield* operator()
      yield* given(async () => {
        await press(page, "Open circuit of anthropic")
        await page.getByLabel("How long").selectOption("for 5 minutes")
        await press(page.getByRole("dialog"), "Open circuit")
        await says(card(page, "anthropic"), /circuit open, (5 min|4 min \d+ s) left/)
        assert.strictEqual(await call(origin, 1), 503)
        await press(page, "Close circuit of anthropic")
        await says(card(page, "anthropic"), /serving/)
        assert.strictEqual(await call(origin, 1), 200)

        await press(page, "Limits of anthropic")
        await page.getByLabel("Calls under way at once").fill("3")
        await page.getByLabel("Calls that may wait").fill("17")
        await page.keyboard.press("Enter")
        await says(card(page, "anthropic"), /of 3/)
        await says(card(page, "anthropic"), /of 17/)
      })
    }))

  it.scopedLive("takes a key out of use and back, validates it, and says so", () =>
    Effect.gen(function*() {
      const { page, problems, simulator } = yield* operator()
      yield* given(async () => {
        await press(page, "Disable team-a of openai")
        await press(page.getByRole("dialog"), "Disable")
        await says(row(page, "team-a", "openai"), /disabled/)
        await press(page, "Enable team-a of openai")
        await says(row(page, "team-a", "openai"), /ready/)
        await press(page, "Validate team-a of openai")
        await page.getByText("team-a of openai is accepted").waitFor()
      })
      yield* simulator.setKey(1, "revoked", "openai")
      yield* given(async () => {
        await press(page, "Validate team-b of openai")
        await page.getByText("team-b of openai is not accepted (authentication failed)").waitFor()
        await says(row(page, "team-b", "openai"), /not accepted/)
        await press(page, "Take back team-b of openai")
        await says(row(page, "team-b", "openai"), /ready/)
      })
      assert.deepStrictEqual(problems, [])
    }))

  it.scopedLive("is worked by the keyboard alone, and leaves the focus where it is while numbers change", () =>
    Effect.gen(function*() {
      const { origin, page } = yield* operator()
      yield* given(async () => {
        await card(page, "openai").waitFor()
        const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "")
        await page.keyboard.press("Tab")
        assert.strictEqual(await focused(), "Skip to the numbers")
        await page.keyboard.press("Enter")
        assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "main")
        for (let steps = 0; await focused() !== "Pause groq"; steps++) {
          assert.isBelow(steps, 30, "Pause groq is not reached")
          await page.keyboard.press("Tab")
        }
        const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)
        assert.strictEqual(outline, "solid", "the focus is seen")
        await page.keyboard.press("Enter")
        await page.getByRole("dialog").waitFor()
        assert.strictEqual(await focused(), "Cancel")
        await page.keyboard.press("Escape")
        await page.getByRole("dialog").waitFor({ state: "hidden" })
        assert.strictEqual(await focused(), "Pause groq")
        const before = await card(page, "groq").innerText()
        await Promise.all([call(origin, 2), call(origin, 2)])
        for (let tries = 0; await card(page, "groq").innerText() === before; tries++) {
          assert.isBelow(tries, 100, "the numbers do not change")
          await page.waitForTimeout(100)
        }
        assert.strictEqual(await focused(), "Pause groq")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await says(card(page, "groq"), /paused/)
        assert.strictEqual(await focused(), "Resume groq")
      })
    }))

  for (
    const [name, seenAs] of [
      ["in the light", { colorScheme: "light" }],
      ["in the dark", { colorScheme: "dark" }],
      ["on a phone", { viewport: { width: 360, height: 740 } }]
    ] as const
  ) {
    it.scopedLive(`is readable ${name}: nothing sticks out, and a checker of accessibility has no complaint`, () =>
      Effect.gen(function*() {
        const { origin, page, problems, simulator } = yield* operator({ seenAs })
        yield* simulator.down("refuse", "groq")
        yield* given(() => Promise.all(Array.from({ length: 8 }, () => call(origin, 2))))
        yield* given(async () => {
          await says(card(page, "groq"), /circuit open/)
          assert.strictEqual(await overflow(page), 0)
          assert.deepStrictEqual(await complaints(page), [])
          await press(page, "Disable team-a of openai")
          assert.deepStrictEqual(await complaints(page), [], "nor of the dialog")
          const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
          assert.strictEqual(ground, name === "in the dark" ? "rgb(16, 21, 28)" : "rgb(245, 246, 248)")
        })
        assert.deepStrictEqual(problems, [])
      }))
  }

  it.scopedLive("shows itself to an admin who says the key, and keeps that to itself", () =>
    Effect.gen(function*() {
      const { origin, page, problems } = yield* operator({ access, calls: 0 })
      yield* given(async () => {
        const signIn = async (key: string) => {
          await page.getByLabel("Key of an admin of this gateway").fill(key)
          await press(page, "Sign in")
        }
        await page.getByText("This gateway shows itself to its admins only.").waitFor()
        assert.deepStrictEqual(await complaints(page), [])
        await signIn("sk-spillway-nobody-0123456789")
        await page.getByText("The gateway does not know this key.").waitFor()
        await signIn(user)
        await page.getByText("This key is not one of an admin.").waitFor()
        assert.isFalse(await page.getByRole("heading", { name: "Keys" }).isVisible())
        await signIn(root)
        await card(page, "openai").waitFor()
        await press(page, "Validate spare of groq")
        await page.getByText("spare of groq is accepted").waitFor()
        const kept = await page.evaluate(() => [
          document.documentElement.outerHTML,
          document.cookie,
          location.href,
          ...[...document.querySelectorAll("input")].map(({ value }) => value)
        ])
        for (const text of kept) assert.notInclude(text, root)
        // it is there again after a reload, and gone when it is told to be
        await page.reload()
        await card(page, "openai").waitFor()
        await press(page, "Sign out")
        await page.getByText("This gateway shows itself to its admins only.").waitFor()
        assert.isNull(await page.evaluate(() => sessionStorage.getItem("spillway.key")))
        // no other page can have this one's browser work the gateway: it sends nothing by itself (S29)
        assert.strictEqual(await page.evaluate(async (url) =>
          (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" })).status, `${origin}/admin/queue/pause`), 401)
      })
      assert.deepStrictEqual(problems, [])
    }))

  it.scopedLive("says that it has lost the gateway, and finds it again by itself", () =>
    Effect.gen(function*() {
      const { origin, page } = yield* operator()
      yield* given(async () => {
        const status = page.getByRole("banner").getByRole("status")
        await says(status, "Live")
        const known = await (await fetch(`${origin}/status.json`)).text()
        let times = 0
        await page.route("**/status/events", (route) =>
          times++ === 0
            ? route.fulfill({ contentType: "text/event-stream", body: `event: status\ndata: ${known}\n\n` })
            : route.abort())
        await page.reload()
        await says(status, "Lost, trying again")
        assert.isTrue(await card(page, "openai").isVisible(), "what was known is still shown")
        await page.unroute("**/status/events")
        await says(status, "Live")
      })
    }))

  it.scopedLive("says that the gateway shuts down", () =>
    Effect.gen(function*() {
      const { gateway, page, problems } = yield* operator()
      yield* gateway.drain
      yield* given(() => says(page.getByRole("banner").getByRole("status"), "The gateway shuts down"))
      assert.deepStrictEqual(problems, [])
    }))

  it.scopedLive("has a picture of itself for the README", () =>
    Effect.gen(function*() {
      const folder = mkdtempSync(join(tmpdir(), "spillway-dashboard-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const wanted = process.env["SPILLWAY_SCREENSHOT"]
      const path = wanted ?? join(folder, "dashboard.png")
      const { origin, page, simulator } = yield* operator({
        seenAs: { viewport: { width: 1280, height: 960 }, colorScheme: "light" }
      })
      if (wanted !== undefined) {
        yield* simulator.update({ latency: "250 millis", jitter: 0.6, tokenDelay: "6 millis", requestsPerMinute: 300, burst: 40 })
        yield* simulator.setFaults({ serverError: 0.03, overloaded: 0.02, rateLimited: 0.03, connectionReset: 0.02 })
        let isOver = false
        const load = async (nth: number) => {
          for (; !isOver; nth += 3) {
            await call(origin, nth)
            await page.waitForTimeout(150 + 1000 * Math.abs(Math.sin(nth)))
          }
        }
        const loads = Array.from({ length: 16 }, (_, nth) => load(nth))
        yield* Effect.sleep("150 seconds")
        yield* simulator.down("refuse", "groq")
        yield* Effect.sleep("12 seconds")
        yield* given(() => page.screenshot({ path }))
        isOver = true
        yield* given(() => Promise.all(loads))
      } else {
        yield* given(() => card(page, "openai").waitFor())
        yield* given(() => page.screenshot({ path }))
      }
      assert.isBelow(statSync(path).size, 200_000)
    }), 300_000)
}

if ("missing" in chromium) {
  describe("the dashboard in a browser", () => {
    it(`says why it is not tried: ${chromium.missing}`, (context) => context.skip(chromium.missing))
  })
} else {
  describe("the dashboard in a browser", () => {
    tests(chromium.at)
  })
}
