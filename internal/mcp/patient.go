package mcp

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Bounds of what is still answered when the assistant says no more: the SDK gives up
// on the first end of input what runs then.
const (
	lastAnswers = 35 * time.Second      // for all of them: what a call may take, and a little
	quiet       = 10                    // looks in a row that find nothing running
	look        = 20 * time.Millisecond // between two of them
)

// patient holds back the end of input until what was asked before it is answered, so
// that requests may be piped into the program.
type patient struct {
	io.ReadCloser
	ctx     context.Context
	running *atomic.Int64
}

func (p patient) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if n == 0 && errors.Is(err, io.EOF) {
		p.wait()
	}
	return n, err
}

func (p patient) wait() {
	ctx, cancel := context.WithTimeout(p.ctx, lastAnswers)
	defer cancel()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for idle := 0; idle < quiet; idle++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if p.running.Load() > 0 {
			idle = -1
		}
	}
}

// counting counts the requests that run.
func counting(running *atomic.Int64) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			running.Add(1)
			defer running.Add(-1)
			return next(ctx, method, req)
		}
	}
}
