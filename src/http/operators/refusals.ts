import type { OperatorRefused } from "../../services/operators/Operators.ts"

/** Why a change to the operators, or to an operator's account, is rejected. */
export const operatorRefusals: Readonly<Record<OperatorRefused["reason"], string>> = {
  "last admin": "This is the last admin. Make another account an admin first",
  "too many": "This server has 100 operators: remove one first",
  "no factor": "The account needs an authenticator first: its owner sets one up under Sign-in",
  "not an operator": "The account is not an operator",
  operator:
    "This account belongs to an operator: only an admin can suspend, take down or restore it",
  "own account": "You can't suspend, take down or restore your own account"
}
