/**
 * The two house rules that oxlint has no words for.
 */

/** Time comes from `Clock`: `new Date()` and `Date()` read the machine's. `new Date(millis)` is a value and passes. */
const noPresentDate = {
  create: (context) => {
    const check = (node) => {
      if (node.callee.type === "Identifier" && node.callee.name === "Date" && (node.type === "CallExpression" || node.arguments.length === 0)) {
        context.report({ node, message: "The present comes from effect/Clock, never from Date." })
      }
    }
    return { NewExpression: check, CallExpression: check }
  }
}

/** `Schedule` changes most between Effect 3 and 4, so one module owns it: where else it may stand, .oxlintrc.json says. */
const onlyRetrySchedules = {
  create: (context) => ({
    ImportDeclaration: (node) => {
      if (node.source.value === "effect/Schedule") {
        context.report({ node, message: "Only core's Retry.ts speaks Schedule; everyone else takes plain options." })
      }
    }
  })
}

export default {
  meta: { name: "spillway" },
  rules: { "no-present-date": noPresentDate, "only-retry-schedules": onlyRetrySchedules }
}
