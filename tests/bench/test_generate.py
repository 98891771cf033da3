from itertools import islice

from bench.generate import catalogue, sample, variation
from index.documents import document


def test_the_same_matter_stands_at_the_same_place_in_every_size() -> None:
    guides = sample()[:5]
    small, large = list(catalogue(guides, 12)), list(catalogue(guides, 40))
    assert large[:12] == small
    assert small[:5] == guides


def test_codes_and_names_are_unique_far_beyond_the_sample() -> None:
    made = list(islice(catalogue(sample(), 45_031), 45_031))
    assert len({guide["code"] for guide in made}) == 45_031
    assert len({guide["name"] for guide in made}) == 45_031


def test_no_text_of_a_variation_repeats_the_original_s_but_its_materials() -> None:
    guide = next(guide for guide in sample() if guide.get("faq") and guide.get("aliases"))
    texts = {text.text for text in document(guide).texts}
    assert not texts & {text.text for text in document(variation(guide, 1)).texts}
