/**
 * Finding the model that a client means among those that there are.
 *
 * @since 0.1.0
 */
import type * as Model from "@spillway/core/Model"
import * as Option from "effect/Option"

/**
 * The model of that id, as it may stand in a path: with its slashes encoded or not. A bare name means the model of
 * whichever backend lists it first.
 *
 * @since 0.1.0
 * @category destructors
 */
export const find = (models: ReadonlyArray<Model.Model>, name: string): Option.Option<Model.Model> =>
  Option.flatMapNullable(decode(name), (id) =>
    models.find((model) => model.id === id) ?? models.find((model) => bare(model) === id))

// a router names models after their backends
const bare = ({ id }: Model.Model) => id.slice(id.indexOf("/") + 1)

const decode = Option.liftThrowable(decodeURIComponent)
