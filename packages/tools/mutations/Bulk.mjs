const journal = ["packages/cli/test/bulk/Journal.test.ts"]
const patience = ["packages/cli/test/bulk/Patience.test.ts"]

export default [
  {
    name: "a line of a journal is believed whatever its sum says",
    property: "S24",
    file: "packages/cli/src/bulk/Journal.ts",
    find: "return sum === undefined || said === undefined || Number.parseInt(sum, 16) !== crc32(bytes.subarray(sum.length + 1))",
    replace: "return sum === undefined || said === undefined",
    tests: journal
  },
  {
    name: "what is torn off counts as whole",
    property: "S24",
    file: "packages/cli/src/bulk/Journal.ts",
    find: "whole: () => splitter.rest().offset",
    replace: "whole: () => splitter.rest().offset + splitter.rest().bytes.length",
    tests: journal
  },
  {
    name: "a line that comes in two pieces loses the first",
    property: "S24",
    file: "packages/cli/src/bulk/ByteLines.ts",
    find: "if (from < piece.length) begun.push(piece.slice(from))",
    replace: "if (from < piece.length) begun = [piece.slice(from)]",
    tests: journal
  },
  {
    name: "a line begins where the piece does",
    property: "S24",
    file: "packages/cli/src/bulk/ByteLines.ts",
    find: "offset = seen + from",
    replace: "offset = from",
    tests: journal
  },
  {
    name: "a line fails while its backend is away",
    property: "bulk",
    file: "packages/cli/src/bulk/Patience.ts",
    find: "CircuitOpen: \"waits\"",
    replace: "CircuitOpen: \"fails\"",
    tests: patience
  },
  {
    name: "the budget is spent although calls under way have reserved it",
    property: "bulk",
    file: "packages/cli/src/bulk/Patience.ts",
    find: ": underWay === 0 ? leave(\"budget\") : hold(room.await),",
    replace: ": leave(\"budget\"),",
    tests: patience
  },
  {
    name: "nobody hears that a call has ended",
    property: "bulk",
    file: "packages/cli/src/bulk/Patience.ts",
    find: "      lastEnd = now\n      return room.release",
    replace: "      lastEnd = now\n      return Effect.void",
    tests: patience
  },
  {
    name: "patience is counted from the start",
    property: "bulk",
    file: "packages/cli/src/bulk/Patience.ts",
    find: "      lastEnd = now\n",
    replace: "",
    tests: patience
  }
]
