export declare function sweepLocalBlobs(
  folder: string,
  options: { readonly isRunning: boolean; readonly now?: number }
): Promise<number>
