import { signerContracts } from "./signer.contract.ts"

// The curves of workerd and its AES are another implementation than those of Node.
signerContracts()
