const budget = ["packages/core/test/Budget.test.ts", "packages/core/test/Budget.properties.test.ts"]
const properties = ["packages/core/test/Budget.properties.test.ts"]
const prices = ["packages/core/test/PriceBook.test.ts"]

export default [
  {
    name: "what is reserved is not kept free",
    property: "P51",
    file: "packages/core/src/internal/ledger.ts",
    find: "account.spent.sum(now) + account.reserved + amount <=",
    replace: "account.spent.sum(now) + amount <=",
    tests: properties
  },
  {
    name: "the second limit is not asked",
    property: "P51",
    file: "packages/core/src/internal/ledger.ts",
    find: "const firm = full.filter((limit) => limits[limit]!.isFirm)",
    replace: "const firm = full.filter((limit) => limit === 0 && limits[limit]!.isFirm)",
    tests: properties
  },
  {
    name: "what passes does so a slot too early",
    property: "P51",
    file: "packages/core/src/internal/spent.ts",
    find: "const size = slots + 1",
    replace: "const size = slots",
    tests: properties
  },
  {
    name: "a slot is not cleared before it is used again",
    property: "P51",
    file: "packages/core/src/internal/spent.ts",
    find: "      amounts[slot] = 0\n",
    replace: "",
    tests: properties
  },
  {
    name: "the most that a call costs leaves out what it may generate",
    property: "P51",
    file: "packages/core/src/internal/meter.ts",
    find: "onSome: (price) => most(price, estimated().input, bound())",
    replace: "onSome: (price) => most(price, estimated().input, 0)",
    tests: properties
  },
  {
    name: "what is settled twice is spent twice",
    property: "P52",
    file: "packages/core/src/internal/ledger.ts",
    find: "      if (reservation.state === \"settled\") return\n",
    replace: "",
    tests: properties
  },
  {
    name: "what has expired is given back a second time when it is settled",
    property: "P52",
    file: "packages/core/src/internal/ledger.ts",
    find: "if (reservation.state === \"reserved\") {",
    replace: "{",
    tests: properties
  },
  {
    name: "a reservation outlives its time",
    property: "P53",
    file: "packages/core/src/internal/ledger.ts",
    find: "if (reservation.expires <= now) giveBack",
    replace: "if (reservation.expires < now) giveBack",
    tests: properties
  },
  {
    name: "the next to expire is forgotten",
    property: "P53",
    file: "packages/core/src/internal/ledger.ts",
    find: "      nextExpiry = Math.min(nextExpiry, expires)\n",
    replace: "      nextExpiry = expires\n",
    tests: properties
  },
  {
    name: "a call that fails is not settled",
    property: "P53",
    file: "packages/core/src/Budget.ts",
    find: "call.held.add((exit) =>\n        ledger",
    replace: "call.held.add((exit) =>\n        exit._tag === \"Failure\" ? undefined : ledger",
    tests: properties
  },
  {
    name: "a stream that breaks off costs nothing",
    property: "P53",
    file: "packages/core/src/internal/meter.ts",
    find: "if (exit._tag === \"Failure\" && !come.began)",
    replace: "if (exit._tag === \"Failure\")",
    tests: properties
  },
  {
    name: "the first parts of a stream are not counted",
    property: "P53",
    file: "packages/core/src/internal/meter.ts",
    find: "      note(come, first)\n",
    replace: "      come.began = true\n",
    tests: properties
  },
  {
    name: "every day has 24 hours",
    property: "BG-10",
    file: "packages/core/src/internal/period.ts",
    find: "return { start, end: startOf(start + intoNext[unit]) }",
    replace: "return { start, end: unit === \"day\" ? start + 24 * hour : startOf(start + intoNext[unit]) }",
    tests: properties
  },
  {
    name: "a call over midnight is paid from the new day",
    property: "BG-10",
    file: "packages/core/src/internal/ledger.ts",
    find: "if (period === undefined || now >= period.end) accounts.clear()",
    replace: "for (const account of accounts.values()) account.spent.add(-account.spent.sum(now), now)",
    tests: budget
  },
  {
    name: "a period that a clock was ahead of is waited for",
    property: "P39",
    file: "packages/core/src/internal/ledger.ts",
    find: "period !== undefined && period.start <= now && now < period.end",
    replace: "period !== undefined && now < period.end",
    tests: budget
  },
  {
    name: "what was spent is forgotten when the clock is put back",
    property: "P51",
    file: "packages/core/src/internal/ledger.ts",
    find: "if (period === undefined || now >= period.end) accounts.clear()",
    replace: "accounts.clear()",
    tests: budget
  },
  {
    name: "what is spent by a clock that was put back does not count",
    property: "P51",
    file: "packages/core/src/internal/spent.ts",
    find: "if (ahead <= 0) return",
    replace: "if (ahead !== 0) return",
    tests: properties
  },
  {
    name: "an unknown price is none",
    property: "BG-13",
    file: "packages/core/src/Budget.ts",
    find: "if (Either.isLeft(most) && firm.length > 0)",
    replace: "if (Either.isLeft(most) && firm.length < 0)",
    tests: budget
  },
  {
    name: "a cost is rounded down",
    property: "P54",
    file: "packages/core/src/PriceBook.ts",
    find: "Math.ceil(sum / million)",
    replace: "Math.floor(sum / million)",
    tests: prices
  },
  {
    name: "tokens without a price cost nothing",
    property: "P54",
    file: "packages/core/src/PriceBook.ts",
    find: "if (rate === undefined) return Either.left(\"PriceUnknown\")",
    replace: "if (rate === undefined) continue",
    tests: prices
  },
  {
    name: "tokens that are written into the cache are counted twice off the input",
    property: "P54",
    file: "packages/core/src/PriceBook.ts",
    find: "inputTokens === undefined ? undefined : inputTokens - cached - written",
    replace: "inputTokens === undefined ? undefined : inputTokens - cached - 2 * written",
    tests: prices
  },
  {
    name: "more may be cached than there is",
    property: "P54",
    file: "packages/core/src/PriceBook.ts",
    find: "(inputTokens !== undefined && cached + written > inputTokens) ||\n",
    replace: "",
    tests: prices
  }
]
