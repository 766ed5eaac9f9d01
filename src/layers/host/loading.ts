/**
 * Stack traces while the server's modules load: the entry imports this before all others.
 *
 * Effect takes a trace for each function and class that a module declares. For the first one, V8
 * parses the whole bundle again, which is a quarter of what the start of an isolate costs.
 */
const usual = Error.stackTraceLimit
Error.stackTraceLimit = 0

/** Turns stack traces on again. */
export const endLoading = (): void => {
  Error.stackTraceLimit = usual
}
