package server

import (
	"context"
	"log/slog"
	"time"
)

// gatherInterval is how often is written what was gathered in memory: how many requests
// accounts made, who used keys, and what readers did. A node that dies may forget a second
// of a month's count and no more; "last used" is right to well within 10 s, counts within 5 s.
const gatherInterval = time.Second

// gather writes every gatherInterval until ctx ends, and once more then. What cannot be
// written is kept by whoever gathered it.
func gather(ctx context.Context, write func(context.Context) error, log *slog.Logger) {
	tick := time.NewTicker(gatherInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := write(ctx); err != nil && ctx.Err() == nil {
				log.Warn("what was gathered could not be written; it is kept and tried again", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if err := write(last); err != nil {
				log.Error("what was gathered last could not be written", "error", err)
			}
			return
		}
	}
}
