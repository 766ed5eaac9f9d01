import { signerContracts } from "../contract/signer.suite.ts"

// The curves of workerd and its AES are another implementation than those of Node.
signerContracts()
