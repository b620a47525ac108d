/**
 * The catalogues of several services: which of them has a model, and what all of them have.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as LlmError from "../LlmError.js"
import type * as LlmService from "../LlmService.js"
import type * as Model from "../Model.js"
import * as Policy from "../Policy.js"

/** A service under its prefix, and what is known of its catalogue. */
export interface Route {
  readonly name: string
  readonly service: LlmService.Service
  /** Whether its catalogue had the model when it was last read. */
  readonly has: (model: string) => boolean
  /** Reads the catalogue, unless that was done lately. */
  readonly read: Effect.Effect<void, LlmError.LlmError>
  /** The same in the background. */
  readonly revisit: Effect.Effect<void>
  /** Reads the catalogue now. */
  readonly list: Effect.Effect<ReadonlyArray<Model.Model>, LlmError.LlmError>
}

const rememberedMillis = { Success: 300_000, Failure: 10_000 } as const

/** Nothing is known of its catalogue yet. */
export const make = (name: string, service: LlmService.Service): Route => {
  let models: ReadonlySet<string> = new Set()
  let last: { readonly exit: Exit.Exit<void, LlmError.LlmError>; readonly until: number } | undefined
  let reading: Deferred.Deferred<void, LlmError.LlmError> | undefined

  const list = Effect.onExit(service.listModels, (exit) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (Exit.isInterrupted(exit)) return
      // while it cannot be read, what it said before stands
      if (Exit.isSuccess(exit)) models = new Set(exit.value.map(({ id }) => id))
      last = { exit: Exit.asVoid(exit), until: now + rememberedMillis[exit._tag] }
    }))

  // it is read for all who wait, so not in the name of the first
  const shared = list.pipe(
    Effect.asVoid,
    Effect.ensuring(Effect.sync(() => {
      reading = undefined
    })),
    Effect.provideService(Policy.CurrentDeadline, Option.none()),
    Effect.provideService(Policy.CurrentPriority, "normal"),
    Effect.provideService(Policy.CurrentTenant, "")
  )
  const read = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (last !== undefined && now < last.until) return last.exit
      if (reading !== undefined) return restore(Deferred.await(reading))
      const mine = Deferred.unsafeMake<void, LlmError.LlmError>(FiberId.none)
      reading = mine
      return Effect.zipRight(
        Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(shared), mine)),
        restore(Deferred.await(mine))
      )
    })
  )
  const revisit = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    last !== undefined && now < last.until ? Effect.void : Effect.asVoid(Effect.forkDaemon(read)))
  return { name, service, has: (model) => models.has(model), read, revisit, list }
}

// nobody waits longer for a catalogue than this: one dead backend would hold up all the others
const patience = Duration.seconds(5)

const patiently = <A>(name: string, effect: Effect.Effect<A, LlmError.LlmError>) =>
  Effect.timeoutFail(effect, {
    duration: patience,
    onTimeout: () =>
      new LlmError.TimedOut({
        backend: name,
        after: patience,
        message: `${name} did not list its models within ${Duration.format(patience)}`
      })
  })

/** The service that has the model. Who knows it already is asked at once, and looks in the background whether that is still so. */
export const find = (
  routes: ReadonlyArray<Route>,
  model: string
): Effect.Effect<LlmService.Service, LlmError.ModelNotFound> =>
  Effect.suspend(() => {
    const known = routes.find(({ has }) => has(model))
    if (known !== undefined) return Effect.as(known.revisit, known.service)
    const unread: Array<string> = []
    const search = ({ has, name, read, service }: Route) =>
      Effect.matchCauseEffect(patiently(name, read), {
        onFailure: (cause) => {
          unread.push(`${name} (${Option.match(Cause.failureOption(cause), { onNone: () => "a bug", onSome: _tag })})`)
          return Effect.fail("unread")
        },
        onSuccess: () => has(model) ? Effect.succeed(service) : Effect.fail("unknown")
      })
    // all are read at once, but the first in order has the first word
    return Effect.flatMap(Effect.forEach(routes, (route) => Effect.fork(search(route))), (searches) =>
      searches.reduceRight(
        (others, search) => Effect.catchAll(Fiber.join(search), () => others),
        Effect.suspend((): Effect.Effect<LlmService.Service, LlmError.ModelNotFound> =>
          Effect.fail(notFound(routes, unread, model))
        )
      ))
  })

const _tag = (error: LlmError.LlmError): LlmError.Tag => error._tag

const notFound = (routes: ReadonlyArray<Route>, unread: ReadonlyArray<string>, model: string) =>
  new LlmError.ModelNotFound({
    backend: "router",
    model,
    message: `no backend has a model "${model.length > 100 ? `${model.slice(0, 100)}…` : model}"; ${
      routes.length === 0 ? "there are no backends" : `looked at ${routes.map(({ name }) => name).join(", ")}`
    }${unread.length === 0 ? "" : `, but could not read the models of ${unread.join(", ")}`}`
  })

/** All models, under their prefixes. */
export const listAll = (routes: ReadonlyArray<Route>): LlmService.Service["listModels"] =>
  Effect.flatMap(
    Effect.forEach(routes, ({ list, name }) =>
      Effect.either(Effect.map(patiently(name, list), (models) => models.map((model) => ({ ...model, id: `${name}/${model.id}` })))), {
      concurrency: "unbounded"
    }),
    (lists) => {
      const [failed, listed] = Arr.separate(lists)
      return listed.length === 0 && failed[0] !== undefined
        ? Effect.fail(failed[0])
        : Effect.succeed(listed.flat())
    }
  )
