package paths

import (
	"fmt"
	"io"

	"github.com/tcpkeepalive/keepalive/align"
	"github.com/tcpkeepalive/keepalive/internal/duration"
)

// PrintHeartbeat says what the application has to send, and how often.
func PrintHeartbeat(w io.Writer, h *align.Heartbeat) {
	switch {
	case h.Every == 0:
		fmt.Fprintf(w, "  the timeout of %s is not known: --idle-timeout %[1]s=60s tells how often\n", h.Tightest.ID)
	case h.IdleConnTimeout == 0:
		fmt.Fprintf(w, "  send something at least every %s:\n", duration.Format(h.Every))
	default:
		fmt.Fprintf(w, "  send something at least every %s, or let the pool drop what was idle for %s:\n", duration.Format(h.Every), duration.Format(h.IdleConnTimeout))
	}
	for _, k := range h.Kinds {
		fmt.Fprintf(w, "  - %s: %s\n", k.Name, k.How)
	}
}
