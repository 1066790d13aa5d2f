// A prediction in words, the same as the dashboard's.

const CLEAR_LEAD = 2; // from so many times the probability of the next on, a flower leads clearly

/** A share of 1 as a whole percentage, never "100 %" or "0 %" of what is only nearly so. */
export function percent(share) {
  if (share >= 0.995 && share < 1) return "> 99 %";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

export function capital(name) {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** One, two and three. */
export function listed(words) {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** @returns {{mark: string, headline: string, sentence: string}} */
export function described({ probabilities, order, plausible, verdict, novel }, classes) {
  const [best, second] = order;
  const name = classes[best].name;
  const share = percent(probabilities[best]);
  if (verdict === "sure") {
    const sentence = `${share} probable; of the other flowers that the model knows, none is plausible.`;
    return { mark: "Sure", headline: capital(name), sentence };
  }
  if (verdict === "between") {
    const others = plausible.slice(1).map((column) => classes[column].name);
    if (others.length === 1 && probabilities[second] > probabilities[best] / CLEAR_LEAD) {
      const both = `${name} is ${share} and ${others[0]} ${percent(probabilities[second])} probable.`;
      return { mark: "Undecided", headline: capital(`${name} or ${others[0]}`), sentence: capital(both) };
    }
    const sentence = `${share} probable; ${others.join(" or ")} cannot be ruled out.`;
    return { mark: "Likely", headline: `Probably ${name}`, sentence };
  }
  if (novel) {
    const sentence =
      `What it shows looks unlike the photos of all ${classes.length} flowers that the model knows. ` +
      `Its best guess is ${share} probable.`;
    return { mark: "Probably none that it knows", headline: `Perhaps ${name}`, sentence };
  }
  const sentence =
    `Its best guess is ${probabilities[best] >= 0.5 ? "" : "only "}${share} probable. The model knows ` +
    `${classes.length} flowers and names one of them whatever the photo shows, even when it shows something else.`;
  return { mark: "Not sure", headline: `Perhaps ${name}`, sentence };
}
