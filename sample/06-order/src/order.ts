// What the jobs of an order are about, and what they give to the one that waits for all of them.
export interface Order {
  id: string;
  article: string;
  cents: number;
}

export interface Reservation {
  place: string;
}

export interface Receipt {
  text: string;
  paidAt: Date;
}
