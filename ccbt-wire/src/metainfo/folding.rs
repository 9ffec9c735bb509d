//! When two names are one to some file system: case, and the ways in which Unicode writes a letter.

use std::sync::LazyLock;

/// The canonical decompositions of Unicode but for Hangul, which are counted, and for ideographs that are there
/// twice: a character, what it begins with, and the mark behind that, if there is one. Ascending.
const DECOMPOSITIONS: &str = "\
    ÀÀÁÁÂÂÃÃÄÄÅÅÇÇÈÈÉÉÊÊËËÌÌÍÍÎÎÏÏÑÑÒÒÓÓÔÔÕÕÖÖÙÙÚÚÛÛ\
    ÜÜÝÝààááââããääååççèèééêêëëììííîîïïññòòóóôôõõööùù\
    úúûûüüýýÿÿĀĀāāĂĂăăĄĄąąĆĆććĈĈĉĉĊĊċċČČččĎĎďďĒĒēēĔĔ\
    ĕĕĖĖėėĘĘęęĚĚěěĜĜĝĝĞĞğğĠĠġġĢĢģģĤĤĥĥĨĨĩĩĪĪīīĬĬĭĭĮĮ\
    įįİİĴĴĵĵĶĶķķĹĹĺĺĻĻļļĽĽľľŃŃńńŅŅņņŇŇňňŌŌōōŎŎŏŏŐŐőő\
    ŔŔŕŕŖŖŗŗŘŘřřŚŚśśŜŜŝŝŞŞşşŠŠššŢŢţţŤŤťťŨŨũũŪŪūūŬŬŭŭ\
    ŮŮůůŰŰűűŲŲųųŴŴŵŵŶŶŷŷŸŸŹŹźźŻŻżżŽŽžžƠƠơơƯƯưưǍǍǎǎǏǏ\
    ǐǐǑǑǒǒǓǓǔǔǕǕǖǖǗǗǘǘǙǙǚǚǛǛǜǜǞǞǟǟǠǠǡǡǢǢǣǣǦǦǧǧǨǨǩǩǪǪ\
    ǫǫǬǬǭǭǮǮǯǯǰǰǴǴǵǵǸǸǹǹǺǺǻǻǼǼǽǽǾǾǿǿȀȀȁȁȂȂȃȃȄȄȅȅȆȆȇȇ\
    ȈȈȉȉȊȊȋȋȌȌȍȍȎȎȏȏȐȐȑȑȒȒȓȓȔȔȕȕȖȖȗȗȘȘșșȚȚțțȞȞȟȟȦȦȧȧ\
    ȨȨȩȩȪȪȫȫȬȬȭȭȮȮȯȯȰȰȱȱȲȲȳȳ̀̀\0́́\0̓̓\0̈́̈́ʹʹ\0;;\0΅΅ΆΆ··\0ΈΈΉΉΊΊ\
    ΌΌΎΎΏΏΐΐΪΪΫΫάάέέήήίίΰΰϊϊϋϋόόύύώώϓϓϔϔЀЀЁЁЃЃЇЇЌЌЍЍ\
    ЎЎЙЙййѐѐёёѓѓїїќќѝѝўўѶѶѷѷӁӁӂӂӐӐӑӑӒӒӓӓӖӖӗӗӚӚӛӛӜӜӝӝ\
    ӞӞӟӟӢӢӣӣӤӤӥӥӦӦӧӧӪӪӫӫӬӬӭӭӮӮӯӯӰӰӱӱӲӲӳӳӴӴӵӵӸӸӹӹآآأأ\
    ؤؤإإئئۀۀۂۂۓۓऩऩऱऱऴऴक़क़ख़ख़ग़ग़ज़ज़ड़ड़ढ़ढ़फ़फ़य़य़োোৌৌড়ড়ঢ়ঢ়য়য়ਲ਼ਲ਼ਸ਼ਸ਼\
    ਖ਼ਖ਼ਗ਼ਗ਼ਜ਼ਜ਼ਫ਼ਫ਼ୈୈୋୋୌୌଡ଼ଡ଼ଢ଼ଢ଼ஔஔொொோோௌௌైైೀೀೇೇೈೈೊೊೋೋൊൊോോൌൌේේොො\
    ෝෝෞෞགྷགྷཌྷཌྷདྷདྷབྷབྷཛྷཛྷཀྵཀྵཱཱཱཱིིུུྲྀྲྀླྀླཱཱྀྀྀྒྷྒྷྜྷྜྷྡྷྡྷྦྷྦྷྫྷྫྷྐྵྐྵဦဦᬆᬆᬈᬈᬊᬊᬌᬌ\
    ᬎᬎᬒᬒᬻᬻᬽᬽᭀᭀᭁᭁᭃᭃḀḀḁḁḂḂḃḃḄḄḅḅḆḆḇḇḈḈḉḉḊḊḋḋḌḌḍḍḎḎḏḏḐḐ\
    ḑḑḒḒḓḓḔḔḕḕḖḖḗḗḘḘḙḙḚḚḛḛḜḜḝḝḞḞḟḟḠḠḡḡḢḢḣḣḤḤḥḥḦḦḧḧḨḨ\
    ḩḩḪḪḫḫḬḬḭḭḮḮḯḯḰḰḱḱḲḲḳḳḴḴḵḵḶḶḷḷḸḸḹḹḺḺḻḻḼḼḽḽḾḾḿḿṀṀ\
    ṁṁṂṂṃṃṄṄṅṅṆṆṇṇṈṈṉṉṊṊṋṋṌṌṍṍṎṎṏṏṐṐṑṑṒṒṓṓṔṔṕṕṖṖṗṗṘṘ\
    ṙṙṚṚṛṛṜṜṝṝṞṞṟṟṠṠṡṡṢṢṣṣṤṤṥṥṦṦṧṧṨṨṩṩṪṪṫṫṬṬṭṭṮṮṯṯṰṰ\
    ṱṱṲṲṳṳṴṴṵṵṶṶṷṷṸṸṹṹṺṺṻṻṼṼṽṽṾṾṿṿẀẀẁẁẂẂẃẃẄẄẅẅẆẆẇẇẈẈ\
    ẉẉẊẊẋẋẌẌẍẍẎẎẏẏẐẐẑẑẒẒẓẓẔẔẕẕẖẖẗẗẘẘẙẙẛẛẠẠạạẢẢảảẤẤấấ\
    ẦẦầầẨẨẩẩẪẪẫẫẬẬậậẮẮắắẰẰằằẲẲẳẳẴẴẵẵẶẶặặẸẸẹẹẺẺẻẻẼẼẽẽ\
    ẾẾếếỀỀềềỂỂểểỄỄễễỆỆệệỈỈỉỉỊỊịịỌỌọọỎỎỏỏỐỐốốỒỒồồỔỔổổ\
    ỖỖỗỗỘỘộộỚỚớớỜỜờờỞỞởởỠỠỡỡỢỢợợỤỤụụỦỦủủỨỨứứỪỪừừỬỬửử\
    ỮỮữữỰỰựựỲỲỳỳỴỴỵỵỶỶỷỷỸỸỹỹἀἀἁἁἂἂἃἃἄἄἅἅἆἆἇἇἈἈἉἉἊἊἋἋ\
    ἌἌἍἍἎἎἏἏἐἐἑἑἒἒἓἓἔἔἕἕἘἘἙἙἚἚἛἛἜἜἝἝἠἠἡἡἢἢἣἣἤἤἥἥἦἦἧἧ\
    ἨἨἩἩἪἪἫἫἬἬἭἭἮἮἯἯἰἰἱἱἲἲἳἳἴἴἵἵἶἶἷἷἸἸἹἹἺἺἻἻἼἼἽἽἾἾἿἿ\
    ὀὀὁὁὂὂὃὃὄὄὅὅὈὈὉὉὊὊὋὋὌὌὍὍὐὐὑὑὒὒὓὓὔὔὕὕὖὖὗὗὙὙὛὛὝὝὟὟ\
    ὠὠὡὡὢὢὣὣὤὤὥὥὦὦὧὧὨὨὩὩὪὪὫὫὬὬὭὭὮὮὯὯὰὰάά\0ὲὲέέ\0ὴὴήή\0ὶὶίί\0\
    ὸὸόό\0ὺὺύύ\0ὼὼώώ\0ᾀᾀᾁᾁᾂᾂᾃᾃᾄᾄᾅᾅᾆᾆᾇᾇᾈᾈᾉᾉᾊᾊᾋᾋᾌᾌᾍᾍᾎᾎᾏᾏᾐᾐᾑᾑ\
    ᾒᾒᾓᾓᾔᾔᾕᾕᾖᾖᾗᾗᾘᾘᾙᾙᾚᾚᾛᾛᾜᾜᾝᾝᾞᾞᾟᾟᾠᾠᾡᾡᾢᾢᾣᾣᾤᾤᾥᾥᾦᾦᾧᾧᾨᾨᾩᾩ\
    ᾪᾪᾫᾫᾬᾬᾭᾭᾮᾮᾯᾯᾰᾰᾱᾱᾲᾲᾳᾳᾴᾴᾶᾶᾷᾷᾸᾸᾹᾹᾺᾺΆΆ\0ᾼᾼιι\0῁῁ῂῂῃῃῄῄῆῆ\
    ῇῇῈῈΈΈ\0ῊῊΉΉ\0ῌῌ῍῍῎῎῏῏ῐῐῑῑῒῒΐΐ\0ῖῖῗῗῘῘῙῙῚῚΊΊ\0῝῝῞῞῟῟ῠῠῡῡ\
    ῢῢΰΰ\0ῤῤῥῥῦῦῧῧῨῨῩῩῪῪΎΎ\0ῬῬ῭῭΅΅\0``\0ῲῲῳῳῴῴῶῶῷῷῸῸΌΌ\0ῺῺΏΏ\0ῼῼ\
    ´´\0ΩΩ\0KK\0ÅÅ\0↚↚↛↛↮↮⇍⇍⇎⇎⇏⇏∄∄∉∉∌∌∤∤∦∦≁≁≄≄≇≇≉≉≠≠≢≢≭≭≮≮≯≯\
    ≰≰≱≱≴≴≵≵≸≸≹≹⊀⊀⊁⊁⊄⊄⊅⊅⊈⊈⊉⊉⊬⊬⊭⊭⊮⊮⊯⊯⋠⋠⋡⋡⋢⋢⋣⋣⋪⋪⋫⋫⋬⋬⋭⋭\
    〈〈\0〉〉\0⫝̸⫝̸ががぎぎぐぐげげごござざじじずずぜぜぞぞだだぢぢづづででどどばばぱぱびびぴぴぶぶぷぷ\
    べべぺぺぼぼぽぽゔゔゞゞガガギギググゲゲゴゴザザジジズズゼゼゾゾダダヂヂヅヅデデドドババパパビビ\
    ピピブブププベベペペボボポポヴヴヷヷヸヸヹヹヺヺヾヾיִיִײַײַשׁשׁשׂשׂשּׁשּׁשּׂשּׂאַאַאָאָאּאּבּבּגּגּ\
    דּדּהּהּוּוּזּזּטּטּיּיּךּךּכּכּלּלּמּמּנּנּסּסּףּףּפּפּצּצּקּקּרּרּשּשּתּתּוֹוֹבֿבֿכֿכֿפֿפֿ𑂚𑂚\
    𑂜𑂜𑂫𑂫𑄮𑄮𑄯𑄯𑍋𑍋𑍌𑍌𑒻𑒻𑒼𑒼𑒾𑒾𑖺𑖺𑖻𑖻𑤸𑤸𝅗𝅥𝅗𝅥𝅘𝅥𝅘𝅥𝅘𝅥𝅮𝅘𝅥𝅮𝅘𝅥𝅯𝅘𝅥𝅯𝅘𝅥𝅰𝅘𝅥𝅰𝅘𝅥𝅱𝅘𝅥𝅱𝅘𝅥𝅲𝅘𝅥𝅲𝆹𝅥𝆹𝅥𝆺𝅥𝆺𝅥𝆹𝅥𝅮𝆹𝅥𝅮𝆺𝅥𝅮𝆺𝅥𝅮𝆹𝅥𝅯𝆹𝅥𝅯\
    𝆺𝅥𝅯𝆺𝅥𝅯\
";

/// A character, its beginning and its mark.
type Decomposition = (char, char, Option<char>);

static TABLE: LazyLock<Vec<Decomposition>> = LazyLock::new(|| {
    let mut chars = DECOMPOSITIONS.chars();
    let mut next = || Some((chars.next()?, chars.next()?, chars.next().filter(|c| *c != '\0')));
    std::iter::from_fn(&mut next).collect()
});

/// Marks that follow a letter, ascending.
static MARKS: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut marks: Vec<char> = TABLE.iter().filter_map(|(_, _, mark)| *mark).collect();
    marks.sort_unstable();
    marks.dedup();
    marks
});

/// Adds `name` to `place` in a form that is the same for all names that are one name to some file system.
///
/// Case is folded by way of the upper case, which finds `ß` and `ſ` too; letters are taken apart, and marks
/// that follow each other are put in one order.
pub(super) fn fold(name: &str, place: &mut String) {
    // Almost all names are ASCII, and the general way is much slower.
    if name.is_ascii() {
        return place.extend(name.chars().map(|c| c.to_ascii_lowercase()));
    }
    let mut letters = Vec::with_capacity(2 * name.len());
    name.chars().for_each(|c| take_apart(c, &mut |part| letters.push(part)));
    letters.chunk_by_mut(|a, b| is_mark(b) && is_mark(a)).for_each(|marks| marks.sort_unstable());
    for letter in letters {
        if letter.is_ascii() {
            place.push(letter.to_ascii_lowercase());
        } else if is_whole(letter) || is_mark(&letter) {
            place.push(letter);
        } else {
            // An upper case may be more than one character, with marks of its own.
            let folded = letter.to_uppercase().flat_map(char::to_lowercase);
            folded.for_each(|c| take_apart(c, &mut |part| place.push(part)));
        }
    }
}

fn is_mark(c: &char) -> bool {
    // Most are in one row.
    ('\u{300}'..='\u{36f}').contains(c) || *c >= '\u{370}' && MARKS.binary_search(c).is_ok()
}

/// Whether there is nothing to be done with it: ideographs and the like, which have no case and no parts.
fn is_whole(c: char) -> bool {
    ('\u{3400}'..='\u{9fff}').contains(&c)
}

fn take_apart(c: char, out: &mut impl FnMut(char)) {
    // All below is Latin without marks.
    if c < '\u{c0}' || is_whole(c) {
        return out(c);
    }
    if let Some(syllable) = u32::from(c).checked_sub(0xac00).filter(|syllable| *syllable < 11_172) {
        let parts = [
            Some(0x1100 + syllable / 588),
            Some(0x1161 + syllable % 588 / 28),
            (syllable % 28 > 0).then_some(0x11a7 + syllable % 28),
        ];
        return parts.into_iter().flatten().filter_map(char::from_u32).for_each(out);
    }
    match TABLE.binary_search_by_key(&c, |(whole, ..)| *whole) {
        // At most four deep.
        Ok(at) => {
            let (_, first, mark) = TABLE[at];
            take_apart(first, out);
            mark.into_iter().for_each(out);
        }
        Err(_) => out(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(name: &str) -> String {
        let mut place = String::new();
        fold(name, &mut place);
        place
    }

    #[test]
    fn the_table_is_whole_and_in_order() {
        assert_eq!(TABLE.len(), 1057);
        assert!(TABLE.is_sorted_by_key(|(whole, ..)| *whole));
        // An editor that writes letters in its own way would make the two alike.
        assert!(TABLE.iter().all(|(whole, first, _)| whole != first && *whole >= '\u{c0}'));
        assert!(MARKS[0] == '\u{300}' && MARKS.iter().all(is_mark) && !is_mark(&'a'));
    }

    #[test]
    fn names_that_are_one_name_somewhere_are_alike() {
        for (one, other) in [
            ("README", "readme"),
            ("\u{e9}t\u{e9}", "e\u{301}T\u{c9}"),
            ("a\u{323}\u{302}", "\u{1ead}"),
            ("a\u{302}\u{323}", "\u{1ead}"),
            ("Stra\u{df}e", "STRASSE"),
            ("\u{17f}", "s"),
            ("\u{212a}", "k"),
            ("\u{212b}", "a\u{30a}"),
            ("\u{3c3}\u{3c2}", "\u{3a3}\u{3a3}"),
            ("\u{fb01}", "FI"),
            ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}"),
            ("\u{304c}", "\u{304b}\u{3099}"),
            ("\u{149}", "\u{2bc}N"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn other_names_stay_apart() {
        for (one, other) in [
            ("a", "\u{e4}"),
            ("\u{e9}", "\u{e8}"),
            ("\u{304b}", "\u{304c}"),
            ("\u{4e00}", "\u{4e01}"),
            ("\u{d55c}", "\u{d558}"),
            ("e\u{301}\u{301}", "\u{e9}"),
        ] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }
}
