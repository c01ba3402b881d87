declare const brand: unique symbol;

/** A string that only the parser of its kind can make. */
export type Named<Kind extends string> = string & { readonly [brand]: Kind };
