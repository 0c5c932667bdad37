package cli

import "strings"

// nearest returns the word that was probably meant, or "".
func nearest(typed string, words []string) string {
	typed = strings.ToLower(typed)
	best, least := "", len(typed)/3+1
	for _, w := range words {
		switch d := distance(typed, strings.ToLower(w)); {
		case d <= least && (best == "" || d < least):
			best, least = w, d
		case best == "" && len(typed) > 1 && strings.HasPrefix(strings.ToLower(w), typed):
			best = w
		}
	}
	return best
}

// didYouMean is the beginning of a sentence, or nothing.
func didYouMean(typed string, words []string) string {
	if near := nearest(typed, words); near != "" {
		return "did you mean " + near + "? "
	}
	return ""
}

// distance is the number of bytes to insert, delete or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			changed := diagonal
			if a[i] != b[j] {
				changed++
			}
			diagonal = row[j+1]
			row[j+1] = min(changed, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
