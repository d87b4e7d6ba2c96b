/** The files of the dashboard's page, and what esbuild says of them. */
export function buildPage(): Promise<{
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly metafile: {
    readonly outputs: Readonly<
      Record<
        string,
        {
          readonly bytes: number;
          readonly imports: readonly { readonly path: string; readonly kind: string }[];
        }
      >
    >;
  };
}>;
