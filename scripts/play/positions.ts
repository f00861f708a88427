/** Where an event of the story lies in orders.v1. */
export interface Position {
  readonly partition: number;
  readonly offset: number;
}

/**
 * The story counts its events from 0 in one partition; in the product each lies somewhere between those of others. This keeps
 * which is which.
 */
export class StoryPositions {
  private readonly events: Position[] = [];

  add(position: Position): void {
    this.events.push(position);
  }

  get all(): readonly Position[] {
    return this.events;
  }

  has({ partition, offset }: Position): boolean {
    return this.events.some((event) => event.partition === partition && event.offset === offset);
  }

  /** The number of the event at a position; -1 if it is not of this story. */
  numberOf({ partition, offset }: Position): number {
    return this.events.findIndex((event) => event.partition === partition && event.offset === offset);
  }

  /**
   * From which offset of the story something holds that holds from a real one. `exactly` after an event: the number behind it, or
   * null if there is no such event. Otherwise any number between the same two events of that partition means the same: `wished`
   * is taken if it is one of them, else the lowest. `orLater`: an edit of the ladder reaches a customer in the background, behind
   * events that do not touch that customer.
   */
  effective({ partition, offset }: Position, exactly: boolean, wished: number | undefined, orLater = false): number | null {
    if (exactly) {
      const cause = this.numberOf({ partition, offset: offset - 1 });
      return cause === -1 ? null : cause + 1;
    }
    let least = 0;
    let most = Infinity;
    for (const [n, event] of this.events.entries()) {
      if (event.partition !== partition) continue;
      if (event.offset < offset) least = n + 1;
      else most = Math.min(most, n);
    }
    const isSame = wished !== undefined && (orLater || least <= wished) && wished <= most;
    return isSame ? wished : least;
  }
}
