/**
 * The Worker of this repository: the unmodified server, in one line as in every project that
 * installs it.
 */
export { Account, default, Limiter, Sequencer } from "./index.ts"
