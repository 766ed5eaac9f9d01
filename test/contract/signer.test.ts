import { signerContracts } from "./signer.suite.ts"

signerContracts()
