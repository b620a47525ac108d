/**
 * `spillway completions`: what a shell needs to complete the commands and their options.
 *
 * @since 0.1.0
 */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const shells = {
  bash: Command.getBashCompletions,
  zsh: Command.getZshCompletions,
  fish: Command.getFishCompletions
}

const shell = Args.choice<keyof typeof shells>([["bash", "bash"], ["zsh", "zsh"], ["fish", "fish"]], { name: "shell" }).pipe(
  Args.withDescription("bash, zsh or fish")
)

/**
 * The command, for a program of this name.
 *
 * @since 0.1.0
 * @category commands
 */
export const command = <Name extends string, R, E, A>(program: Command.Command<Name, R, E, A>, name: string) =>
  Command.make("completions", { shell }, ({ shell }) =>
    Effect.flatMap(shells[shell](program, name), (lines) => Console.log(lines.join("\n")))).pipe(
      Command.withDescription(`Print what a shell needs to complete ${name}: eval "$(${name} completions bash)"`)
    )
