package syntax

import (
	"fmt"
	"strings"

	"github.com/tcpkeepalive/keepalive/platform"
)

// symbols name the options as the documentation of other programs does.
var symbols = map[platform.Option]string{
	platform.KeepAlive: "SO_KEEPALIVE", platform.Idle: "TCP_KEEPIDLE", platform.Interval: "TCP_KEEPINTVL",
	platform.Count: "TCP_KEEPCNT", platform.UserTimeout: "TCP_USER_TIMEOUT",
}

// cannot is what of the plan the program cannot set, in a sentence; "" if it can set all.
func (p Plan) cannot(f Format) string {
	var names, planned []string
	missing := func(o platform.Option, value string) {
		if !f.sets.Has(o) {
			names, planned = append(names, symbols[o]), append(planned, value)
		}
	}
	missing(platform.KeepAlive, "on")
	missing(platform.Idle, platform.Idle.Format(int64(p.Config.Idle)))
	missing(platform.Interval, platform.Interval.Format(int64(p.Config.Interval)))
	missing(platform.Count, platform.Count.Format(int64(p.Config.Count)))
	if p.userTimeout() > 0 {
		missing(platform.UserTimeout, platform.UserTimeout.Format(int64(p.Config.UserTimeout)))
	}
	if len(names) == 0 {
		return ""
	}
	text := fmt.Sprintf("%s cannot set %s (%s in the plan)", f.program, strings.Join(names, ", "), strings.Join(planned, ", "))
	if names[len(names)-1] == symbols[platform.UserTimeout] && f.sets.Has(platform.KeepAlive) && !f.beats {
		text += ": without a user timeout, data in flight to a dead peer is noticed after about 15 minutes"
		if f.sets.Has(platform.Count) {
			text += fmt.Sprintf(", and an idle connection is given up after %d unanswered probes", p.count())
		}
	}
	return text
}
