package table

import (
	"fmt"
	"time"
)

// Unknown is the text of a cell whose value is not known.
const Unknown = "?"

// Nothing is the text of a cell that does not apply to its row.
const Nothing = "-"

// Duration formats the time that is left, for a column: 9.4s, 41s, 1m39s, 1h59m. It is at most
// six wide up to a hundred hours, and never more than what is left.
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
