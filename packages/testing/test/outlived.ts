/**
 * Before each test file: a process of tests whose Vitest is gone without having ended it is ended, rather than left to
 * work for nobody. What such a process runs listens to its `disconnect` too.
 */
if (process.listenerCount("disconnect", end) === 0) process.on("disconnect", end)

function end() {
  // Vitest lets no test leave by `process.exit`
  setImmediate(() => process.kill(process.pid, "SIGKILL"))
}
