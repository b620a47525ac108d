/**
 * The gateway's own keys in the environment: those of clients in `SPILLWAY_CLIENT_KEY` (or `_1`, `_2` …), those of admins
 * in `SPILLWAY_ADMIN_KEY`, each as it is or as its hash. A file says more of each (`gateway.access`).
 *
 * @since 0.1.0
 */
import * as KeyPool from "@spillway/core/KeyPool"
import type * as Access from "@spillway/gateway/Access"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/**
 * The variables that hold them.
 *
 * @since 0.1.0
 * @category constants
 */
export const variables: { readonly [R in Access.Role]: string } = {
  user: "SPILLWAY_CLIENT_KEY",
  admin: "SPILLWAY_ADMIN_KEY"
}

/**
 * Who may use the gateway, as far as the environment says; nothing where it says nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromEnvironment: Effect.Effect<Option.Option<Access.Options>, ConfigError.ConfigError> = Effect.map(
  Effect.zipWith(
    Config.option(KeyPool.config(variables.user)),
    Config.option(KeyPool.config(variables.admin)),
    (users, admins) => [...named(users, "user"), ...named(admins, "admin")]
  ),
  (keys) => keys.length === 0 ? Option.none() : Option.some({ keys })
)

const named = (
  keys: Option.Option<ReadonlyArray<Pick<Access.Key, "name" | "key">>>,
  role: Access.Role
): ReadonlyArray<Access.Key> => Option.getOrElse(keys, () => []).map(({ key, name }) => ({ name, key, role }))
