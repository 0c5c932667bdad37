// Package alike suggests existing names for a mistyped one.
package alike

import (
	"slices"
	"strings"
)

// Nearest returns at most three of names that resemble word, the closest first:
// those that contain it, then those that are [Mistyped]. It ignores case.
func Nearest(word string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	word = strings.ToLower(word)
	var near []candidate
	for _, name := range names {
		lower := strings.ToLower(name)
		switch d := distance(word, lower); {
		case word != "" && strings.Contains(lower, word):
			near = append(near, candidate{name, 0})
		case d <= tolerated(word):
			near = append(near, candidate{name, d})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var found []string
	for _, c := range near[:min(3, len(near))] {
		found = append(found, c.name)
	}
	return found
}

// Mistyped reports whether word is name with at most a third of its letters
// wrong, ignoring case. A word of one or two letters must match.
func Mistyped(word, name string) bool {
	return distance(strings.ToLower(word), strings.ToLower(name)) <= tolerated(word)
}

// tolerated returns how many letters of a word may be wrong.
func tolerated(word string) int { return len(word) / 3 }

// Question returns "; did you mean a, b?" to append to an error, "" without
// names.
func Question(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(names, ", ") + "?"
}

// distance returns the number of bytes to insert, delete or change, or of
// neighbours to swap (Damerau-Levenshtein distance, each byte moved at most
// once).
func distance(a, b string) int {
	var before []int // the row before the previous one
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			changed := last[j]
			if a[i] != b[j] {
				changed++
			}
			row[j+1] = min(changed, row[j]+1, last[j+1]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
