package table

import (
	"fmt"
	"time"
)

// Unknown is what a cell says that cannot be known.
const Unknown = "?"

// Nothing stands for what a row does not have.
const Nothing = "-"

// Duration writes a time for a table: 9.4s, 41s, 1m39s, 1h59m.
func Duration(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d/time.Second%60)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d/time.Minute%60)
}
