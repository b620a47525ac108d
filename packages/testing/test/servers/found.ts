/** The real servers that integration tests may speak to, as `setup.ts` finds them: `inject("servers")`. */

/** One that is there: what it is, how it came to be used, and what a test has to know of it. */
export interface Here<A> {
  readonly name: string
  readonly version: string
  readonly how: string
  readonly at: A
}

/** One that is not, and what to do to have it; one that no test of this run speaks to has no name. */
export interface Absent {
  readonly name?: string
  readonly missing: string
}

export type Found<A> = Here<A> | Absent

/** Each test file starts its own, with the model and the flags that it wants. */
export interface LlamaServer {
  readonly command: string
  /** The folder of its models. */
  readonly models: string
}

/** A door at which objects are stored, and who one is to it. */
export interface S3 {
  readonly url: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
}

export interface Servers {
  readonly llamaServer: Found<LlamaServer>
  readonly s3: Found<S3>
  readonly ollama: Found<string>
  readonly vllm: Found<string>
  readonly tgi: Found<string>
  readonly tei: Found<string>
  readonly ovms: Found<string>
  /** A browser, by the path of its program. */
  readonly chromium: Found<string>
}

declare module "vitest" {
  interface ProvidedContext {
    readonly servers: Servers
  }
}

/** What the environment says. */
export type Environment = { readonly [variable: string]: string | undefined }

/** What a variable says; one that is empty says nothing. */
export const variable = (environment: Environment, name: string): string | undefined => environment[name] || undefined
