// What the jobs of an order are about, and what they give to the one that waits for all of them.
export interface Order {
  id: string;
  articles: string[];
  cents: number;
}

/** One article of an order. */
export interface Item {
  order: string;
  article: string;
}

export interface Parcel {
  contents: string;
}

export interface Receipt {
  text: string;
  paidAt: Date;
}
