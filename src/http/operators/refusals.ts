import type { OperatorRefused } from "../../services/operators/Operators.ts"

/** Why a change to the operators is rejected. */
export const operatorRefusals: Readonly<Record<OperatorRefused["reason"], string>> = {
  "last admin": "This is the last admin. Make another account an admin first",
  "too many": "This server has 100 operators: remove one first",
  "no factor": "The account needs an authenticator first: its owner sets one up under Sign-in",
  "not an operator": "The account is not an operator"
}
