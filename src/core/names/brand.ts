declare const brand: unique symbol;

/** A string type whose values come only from its parser. */
export type Named<Kind extends string> = string & { readonly [brand]: Kind };
