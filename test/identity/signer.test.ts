import { signerContracts } from "./signer.contract.ts"

signerContracts()
