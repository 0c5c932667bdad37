package ls

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// installedIsOld tells whether the ss that is installed writes timers as those before
// iproute2 6.11 do. It does not where there is none, or it does not say which it is.
func installedIsOld() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ss", "-V").Output()
	if err != nil {
		return false
	}
	_, version, _ := strings.Cut(string(out), "iproute2-")
	if strings.HasPrefix(version, "ss") { // its date: up to 5.6
		return true
	}
	var major, minor int
	_, err = fmt.Sscanf(strings.TrimPrefix(version, "v"), "%d.%d", &major, &minor)
	return err == nil && (major < 6 || major == 6 && minor <= 10)
}
