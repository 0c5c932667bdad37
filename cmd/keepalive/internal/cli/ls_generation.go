package cli

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/tcpkeepalive/keepalive/inspect"
)

// installedStyle is how the ss that is installed writes a timer, or the current
// one where there is none, or it does not say which it is.
func installedStyle() inspect.Style {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ss", "-V").Output()
	if err != nil {
		return inspect.SS
	}
	_, version, _ := strings.Cut(string(out), "iproute2-")
	if strings.HasPrefix(version, "ss") { // its date: up to 5.6
		return inspect.OldSS
	}
	var major, minor int
	_, err = fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d", &major, &minor)
	if err == nil && (major < 6 || major == 6 && minor <= 10) {
		return inspect.OldSS
	}
	return inspect.SS
}
