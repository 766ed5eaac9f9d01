/** The Worker of this repository: the server as it is, one line as in every project that installs it. */
export { Account, default, Limiter, Sequencer } from "./index.ts"
