/** A real browser with a page open, which is watched for what it must not do. */
import { Effect, type Scope } from "effect"
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core"

/** The browser that this program is. */
export const launch = (program: string): Promise<Browser> =>
  chromium.launch({
    executablePath: program,
    // who is root has no sandbox, and neither have most containers
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
  })

export interface Browsing {
  readonly page: Page
  /** What the page complained of, what failed on it, and what it asked of others than the gateway. */
  readonly problems: ReadonlyArray<string>
}

/** A page of the gateway at `origin`, of somebody who was never there; what it asks of anybody else is refused, and told. */
export const browse = (
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {}
): Effect.Effect<Browsing, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en-GB", ...options })),
      (context) => Effect.promise(() => context.close())
    )
    const problems: Array<string> = []
    const page = yield* Effect.promise(async () => {
      await context.route("**/*", (route) => {
        const url = route.request().url()
        if (url.startsWith(`${origin}/`)) return route.continue()
        problems.push(`asked for ${url}`)
        return route.abort()
      })
      return context.newPage()
    })
    page.on("console", (message) => {
      // what is refused for want of a key is a line in the console of every browser
      if (["error", "warning"].includes(message.type()) && !/status of 40[13]/.test(message.text())) {
        problems.push(`${message.type()}: ${message.text()}`)
      }
    })
    page.on("pageerror", (error) => problems.push(String(error.stack ?? error)))
    page.on("requestfailed", (request) => {
      const why = request.failure()?.errorText
      // whoever leaves a page breaks off what it listens to
      if (why !== "net::ERR_ABORTED") problems.push(`${request.url()}: ${why}`)
    })
    return { page, problems }
  })
