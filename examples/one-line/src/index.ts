export { default, Account, Sequencer, Limiter } from "nacre"
